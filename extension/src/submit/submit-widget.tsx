import { lazy, type JSX } from 'react';
import { MainAreaWidget, ReactWidget } from '@jupyterlab/apputils';
import { visibleLine } from '@cloister/protocol';
import { Late } from '../components/parts/late';
import { cloisterIcon } from '../icons';
import type { ISubmitContext } from './submit-context';

/** Comes with the first panel that is opened. */
const SubmitPanel = lazy(async () => ({ default: (await import('./submit-panel')).SubmitPanel }));

/** The content of the panel's tab. It begins its work when it is first seen, not in a hidden tab of a restored layout. */
export class SubmitWidget extends ReactWidget {
  constructor(context: ISubmitContext) {
    super();
    this.#context = context;
    this.addClass('jp-Cloister-submitWidget');
  }

  get model(): ISubmitContext['model'] {
    return this.#context.model;
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.#context.model.dispose();
    super.dispose();
  }

  protected override onAfterShow(): void {
    void this.#context.model.start();
  }

  protected override onAfterAttach(message: Parameters<ReactWidget['onAfterAttach']>[0]): void {
    super.onAfterAttach(message);
    if (this.isVisible) void this.#context.model.start();
  }

  protected override render(): JSX.Element {
    return (
      <Late trans={this.#context.trans}>
        <SubmitPanel context={this.#context} />
      </Late>
    );
  }

  readonly #context: ISubmitContext;
}

/** The panel's tab, of the notebook `context.model.path`. */
export function createSubmitTab(context: ISubmitContext): MainAreaWidget<SubmitWidget> {
  const { model, trans } = context;
  const tab = new MainAreaWidget({ content: new SubmitWidget(context) });
  tab.id = `cloister-submit:${model.path}`;
  tab.title.label = trans.__('Submit %1', visibleLine(model.path.split('/').at(-1) ?? model.path, 80));
  tab.title.caption = trans.__('Submit %1 to a TEE', visibleLine(model.path));
  tab.title.icon = cloisterIcon;
  tab.title.closable = true;
  // It has no buttons of its own there, and an empty bar only takes room.
  tab.toolbar.hide();
  return tab;
}
