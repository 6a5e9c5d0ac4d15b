import { ILabShell, ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Dialog, ICommandPalette, Notification, showDialog, WidgetTracker, type MainAreaWidget } from '@jupyterlab/apputils';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import { visibleLine, type Digest } from '@cloister/protocol';
import { CommandIDs } from '../commands/ids';
import { addSubmit } from '../commands/submit';
import { createKeptPanels } from '../submit/kept-panels';
import { OpenNotebooks } from '../submit/open-notebooks';
import { SubmitModel, type ISubmitDeps } from '../submit/submit-model';
import { createSubmitTab, type SubmitWidget } from '../submit/submit-widget';
import { IAgent, IJobs } from '../tokens';
import { DOMAIN } from '../translation';

const ID = 'cloister:submit';
const DEFAULT_MINUTES = 60;

interface IOptional {
  readonly jobs: IJobs | null;
  readonly tracker: INotebookTracker | null;
  readonly browsers: IFileBrowserFactory | null;
  readonly restorer: ILayoutRestorer | null;
  readonly state: IStateDB | null;
  readonly settings: ISettingRegistry | null;
  readonly palette: ICommandPalette | null;
  /** JupyterLab’s own shell; Notebook has another, whose main area holds one notebook and nothing else. */
  readonly labShell: ILabShell | null;
}

/** The Submit panel and its command. */
export const submitPlugin: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'Shows what of a notebook would be sent and what the owners say to it, and submits it.',
  autoStart: true,
  requires: [IAgent],
  optional: [IJobs, INotebookTracker, IFileBrowserFactory, ILayoutRestorer, IStateDB, ISettingRegistry, ICommandPalette, ILabShell, ITranslator],
  // eslint-disable-next-line max-params -- JupyterLab hands each service over as an argument of its own
  activate: (
    app: JupyterFrontEnd,
    agent: IAgent,
    jobs: IJobs | null,
    tracker: INotebookTracker | null,
    browsers: IFileBrowserFactory | null,
    restorer: ILayoutRestorer | null,
    state: IStateDB | null,
    settings: ISettingRegistry | null,
    palette: ICommandPalette | null,
    labShell: ILabShell | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    activate(app, { agent, trans, optional: { jobs, tracker, browsers, restorer, state, settings, palette, labShell } });
  }
};

interface IActivation {
  readonly agent: IAgent;
  readonly trans: TranslationBundle;
  readonly optional: IOptional;
}

function activate(app: JupyterFrontEnd, { agent, trans, optional }: IActivation): void {
  const { commands } = app;
  const { contents } = app.serviceManager;
  const { jobs, tracker, browsers, restorer, state, palette } = optional;
  const notebooks = new OpenNotebooks(tracker, path => contents.localPath(path));
  const showJob = (job: Digest): void => void commands.execute(CommandIDs.showJobs, { job });
  const announce = (job: Digest, path: string): void => {
    const actions = commands.hasCommand(CommandIDs.showJobs) ? [{ label: trans.__('Show job'), callback: () => showJob(job) }] : [];
    Notification.info(trans.__('Submitted %1. It runs on by itself.', visibleLine(path.split('/').at(-1) ?? path, 60)), { autoClose: 8000, actions });
    // Whether the sidebar comes forward is a setting of the sidebar.
    if (commands.hasCommand(CommandIDs.showJobs)) void commands.execute(CommandIDs.showJobs, { job, submitted: true });
  };
  const deps: ISubmitDeps = { agent, jobs, notebooks, trans, announce, kept: createKeptPanels(state), defaultMinutes: followDefaultMinutes(optional.settings) };
  const panels = new WidgetTracker<MainAreaWidget<SubmitWidget>>({ namespace: 'cloister-submit' });
  const open = openPanel(app, { agent, trans, panels, showJob, area: optional.labShell === null ? 'right' : 'main', makeModel: path => new SubmitModel(path, deps) });
  addSubmit({
    commands, trans, notebooks, open,
    openPath: () => tracker?.currentWidget?.context.path,
    selectedPath: () => selectedNotebook(browsers),
    placeOf: path => ({ drive: contents.driveName(path), path: contents.localPath(path) }),
    askToSave: async name => askToSave(name, trans),
    tell: sentence => void Notification.warning(sentence, { autoClose: 8000 })
  });
  tracker?.currentChanged.connect(() => commands.notifyCommandChanged(CommandIDs.submit));
  palette?.addItem({ command: CommandIDs.submit, category: trans.__('Cloister'), args: { isPalette: true } });
  if (restorer !== null) {
    const argsOf = (tab: MainAreaWidget<SubmitWidget>): { path: string; restored: true } => ({ path: tab.content.model.path, restored: true });
    void restorer.restore(panels, { command: CommandIDs.submit, args: argsOf, name: tab => tab.content.model.path });
  }
}

interface IPanelDeps {
  readonly agent: IAgent;
  readonly trans: TranslationBundle;
  readonly panels: WidgetTracker<MainAreaWidget<SubmitWidget>>;
  readonly showJob: (job: Digest) => void;
  readonly area: 'main' | 'right';
  readonly makeModel: (path: string) => SubmitModel;
}

/** One panel a notebook: a second call brings it forward, with the notebook as it is now. */
function openPanel(app: JupyterFrontEnd, { agent, trans, panels, showJob, area, makeModel }: IPanelDeps): (path: string, options: { readonly restored: boolean }) => void {
  return (path, { restored }) => {
    const present = panels.find(tab => tab.content.model.path === path);
    if (present !== undefined) {
      app.shell.activateById(present.id);
      void present.content.model.comeBack();
      return;
    }
    const hasSidebar = app.commands.hasCommand(CommandIDs.showJobs);
    const tab = createSubmitTab({ agent, trans, model: makeModel(path), showJob: hasSidebar ? showJob : undefined });
    app.shell.add(tab, area, { type: 'Cloister' });
    void panels.add(tab);
    if (!restored) app.shell.activateById(tab.id);
  };
}

/** The folder's entry that is selected, where it is one notebook. */
function selectedNotebook(browsers: IFileBrowserFactory | null): string | undefined {
  const items = Array.from(browsers?.tracker.currentWidget?.selectedItems() ?? []);
  return items.find(item => item.type === 'notebook')?.path;
}

async function askToSave(name: string, trans: TranslationBundle): Promise<boolean> {
  const answer = await showDialog({
    title: trans.__('Save %1 first?', name),
    body: trans.__('It has edits that are not saved. What is submitted is the notebook on disk.'),
    buttons: [Dialog.cancelButton({ label: trans.__('Cancel') }), Dialog.okButton({ label: trans.__('Save and continue') })]
  });
  return answer.button.accept;
}

/** The time limit of the settings, as it is when asked for. */
function followDefaultMinutes(registry: ISettingRegistry | null): () => number {
  let minutes = DEFAULT_MINUTES;
  const read = (settings: ISettingRegistry.ISettings): void => {
    const { composite } = settings.get('defaultTimeoutMinutes');
    minutes = typeof composite === 'number' ? composite : DEFAULT_MINUTES;
  };
  registry?.load(ID).then(
    settings => {
      read(settings);
      settings.changed.connect(read);
    },
    // Without its settings the panel works, with the default.
    () => undefined
  );
  return () => minutes;
}
