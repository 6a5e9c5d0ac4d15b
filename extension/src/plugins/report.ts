import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, WidgetTracker } from '@jupyterlab/apputils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import type { DocumentRegistry, DocumentWidget } from '@jupyterlab/docregistry';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { CommandIDs } from '../commands/ids';
import { addOpenReport } from '../commands/open-report';
import { reportIcon } from '../icons';
import { REPORT_EXTENSION, REPORT_FACTORY, REPORT_FILE_TYPE, ReportModelFactory, ReportWidgetFactory, type ReportWidget } from '../report/report-widget';
import { IAgent } from '../tokens';
import { DOMAIN } from '../translation';

/** Opens `*.attestation.json` by a double click. Without the agent it still checks what it can, and says what it lacks. */
export const reportPlugin: JupyterFrontEndPlugin<void> = {
  id: 'cloister:report',
  description: 'Verifies attestation reports in the browser, and shows what they prove.',
  autoStart: true,
  optional: [IAgent, ITranslator, ILayoutRestorer, ICommandPalette, IDefaultFileBrowser, IDocumentManager],
  // eslint-disable-next-line max-params -- JupyterLab hands each service over as an argument of its own
  activate: (
    app: JupyterFrontEnd,
    agent: IAgent | null,
    given: ITranslator | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    browser: IDefaultFileBrowser | null,
    documents: IDocumentManager | null
  ) => {
    const translator = given ?? nullTranslator;
    const trans = translator.load(DOMAIN);
    const tracker = new WidgetTracker<DocumentWidget<ReportWidget>>({ namespace: 'cloister-report' });
    addViewer(app, { agent, translator, tracker });
    addOpenReport({ commands: app.commands, agent, browser, documents, translator, trans });
    palette?.addItem({ command: CommandIDs.openReport, category: trans.__('Cloister'), args: { isPalette: true } });
    if (restorer !== null) {
      void restorer.restore(tracker, {
        command: 'docmanager:open',
        args: widget => ({ path: widget.context.path, factory: REPORT_FACTORY }),
        name: widget => widget.context.path
      });
    }
  }
};

interface IViewerParts {
  readonly agent: IAgent | null;
  readonly translator: ITranslator;
  readonly tracker: WidgetTracker<DocumentWidget<ReportWidget>>;
}

function addViewer({ docRegistry, serviceManager }: JupyterFrontEnd, { agent, translator, tracker }: IViewerParts): void {
  const trans = translator.load(DOMAIN);
  docRegistry.addFileType({
    name: REPORT_FILE_TYPE,
    displayName: trans.__('Attestation report'),
    contentType: 'file',
    fileFormat: 'text',
    mimeTypes: ['application/json'],
    extensions: [REPORT_EXTENSION],
    icon: reportIcon
  });
  const models = new ReportModelFactory();
  docRegistry.addModelFactory(models);
  const factory = new ReportWidgetFactory(
    { name: REPORT_FACTORY, label: trans.__('Attestation report'), modelName: models.name, fileTypes: [REPORT_FILE_TYPE], defaultFor: [REPORT_FILE_TYPE], readOnly: true, translator },
    { agent, trans, contents: serviceManager.contents }
  );
  factory.widgetCreated.connect((_sender, widget) => {
    widget.context.pathChanged.connect(() => void tracker.save(widget));
    void tracker.add(widget);
  });
  // JupyterLab's own class fits its own interface but for `contentProviderId?`, which the class says may be undefined.
  docRegistry.addWidgetFactory(factory as DocumentRegistry.WidgetFactory);
}
