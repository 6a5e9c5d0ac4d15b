import { lazy, type JSX } from 'react';
import type { Message as LuminoMessage } from '@lumino/messaging';
import { Printing } from '@jupyterlab/apputils';
import { ABCWidgetFactory, Base64ModelFactory, DocumentWidget, type DocumentRegistry } from '@jupyterlab/docregistry';
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import { Late } from '../components/parts/late';
import { reportIcon } from '../icons';
import type { IAgent } from '../tokens';
import { FileWatch } from './file-watch';
import { ReportSession } from './report-session';

/** Comes with the first report that is opened. */
const ReportPage = lazy(async () => ({ default: (await import('./report-page')).ReportPage }));

/** Names under which JupyterLab knows the viewer; layouts that were saved refer to them. */
export const REPORT_FILE_TYPE = 'cloister-report';
export const REPORT_FACTORY = 'Attestation report';
/** Every attestation report's name ends in this. */
export const REPORT_EXTENSION = '.attestation.json';

/** A report's exact bytes: decoded as text, a damaged file could not be opened at all. */
export class ReportModelFactory extends Base64ModelFactory {
  override get name(): string {
    return 'cloister-report-bytes';
  }
}

export interface IReportWidgetOptions {
  readonly context: DocumentRegistry.Context;
  readonly contents: Contents.IManager;
  readonly agent: IAgent | null;
  readonly trans: TranslationBundle;
}

/** The viewer of one report. */
export class ReportWidget extends ReactWidget {
  constructor({ context, contents, agent, trans }: IReportWidgetOptions) {
    super();
    this.addClass('jp-Cloister');
    this.addClass('jp-Cloister-report');
    this.#context = context;
    this.#agent = agent;
    this.#trans = trans;
    this.#session = new ReportSession(
      { agent, trans, loadVerifier: () => import('./verify-content'), canVerify, now: () => new Date() },
      contents.localPath(context.path)
    );
    this.#watch = new FileWatch({ context, contents, onLost: error => this.#session.refuse(error) });
    this.#open = () => void this.#session.open(contents.localPath(context.path), context.model.toString());
    context.model.contentChanged.connect(this.#open);
    context.pathChanged.connect(this.#open);
    context.ready.then(this.#open, (error: unknown) => this.#session.refuse(error));
  }

  get session(): ReportSession {
    return this.#session;
  }

  /** File > Print. */
  [Printing.symbol](): Printing.OptionalAsyncThunk {
    return () => Printing.printWidget(this);
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.#context.model.contentChanged.disconnect(this.#open);
    this.#context.pathChanged.disconnect(this.#open);
    this.#watch.dispose();
    this.#session.dispose();
    super.dispose();
  }

  protected override render(): JSX.Element {
    return (
      <Late trans={this.#trans}>
        <UseSignal signal={this.#session.changed}>{() => this.#page()}</UseSignal>
      </Late>
    );
  }

  protected override onAfterShow(message: LuminoMessage): void {
    super.onAfterShow(message);
    this.#watch.start();
  }

  protected override onAfterAttach(message: LuminoMessage): void {
    super.onAfterAttach(message);
    if (this.isVisible) this.#watch.start();
  }

  protected override onAfterHide(message: LuminoMessage): void {
    super.onAfterHide(message);
    this.#watch.stop();
  }

  protected override onActivateRequest(): void {
    this.node.tabIndex = -1;
    this.node.focus();
  }

  readonly #context: DocumentRegistry.Context;
  readonly #agent: IAgent | null;
  readonly #trans: TranslationBundle;
  readonly #session: ReportSession;
  readonly #watch: FileWatch;
  readonly #open: () => void;

  #page(): JSX.Element {
    const workspace = this.#agent?.description?.workspace;
    return (
      <ReportPage
        state={this.#session.state}
        trans={this.#trans}
        onCheckAgain={() => void this.#checkAgain()}
        onDownload={() => void this.#context.download()}
        {...(workspace === undefined ? {} : { workspace })}
      />
    );
  }

  /** The file may be another one by now, or gone. */
  async #checkAgain(): Promise<void> {
    if ((await this.#watch.look()) === 'there') await this.#session.check(this.#context.model.toString());
  }
}

/** Makes a viewer for each report that is opened. */
export class ReportWidgetFactory extends ABCWidgetFactory<DocumentWidget<ReportWidget>> {
  constructor(options: DocumentRegistry.IWidgetFactoryOptions<DocumentWidget<ReportWidget>>, deps: Omit<IReportWidgetOptions, 'context'>) {
    super(options);
    this.#deps = deps;
  }

  readonly #deps: Omit<IReportWidgetOptions, 'context'>;

  protected override createNewWidget(context: DocumentRegistry.Context): DocumentWidget<ReportWidget> {
    const widget = new DocumentWidget({ content: new ReportWidget({ ...this.#deps, context }), context });
    widget.title.icon = reportIcon;
    return widget;
  }
}

/** Browsers have `subtle` in secure contexts alone, whatever the type says. */
function canVerify(): boolean {
  return window.isSecureContext && 'subtle' in window.crypto;
}
