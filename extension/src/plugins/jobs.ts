import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { CommandIDs } from '../commands/ids';
import { addShowJobs } from '../commands/show-jobs';
import { tellProblem } from '../commands/tell-problem';
import type { IJobContext } from '../jobs/job-context';
import { JobsPanel } from '../jobs/jobs-panel';
import { IAgent, IJobs } from '../tokens';
import { DOMAIN } from '../translation';

const ID = 'cloister:jobs';
const REVEAL_FOLDER = 'filebrowser:go-to-path';
/** Extensions of others come after JupyterLab's own, and before 900. */
const RANK = 600;

/** The sidebar with all jobs. */
export const jobsPlugin: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'Adds the sidebar that shows submitted jobs live, with what can be done about each.',
  autoStart: true,
  requires: [IAgent, IJobs],
  optional: [ITranslator, ILayoutRestorer, ISettingRegistry, ICommandPalette],
  // JupyterLab hands over one argument for each token.
  // eslint-disable-next-line max-params
  activate: (
    app: JupyterFrontEnd,
    agent: IAgent,
    jobs: IJobs,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    settings: ISettingRegistry | null,
    palette: ICommandPalette | null
  ): void => {
    const { commands, shell } = app;
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    let options = optionsOf({});
    const common: Omit<IJobContext, 'showPurpose' | 'revealFolder'> = {
      trans,
      can: command => commands.hasCommand(command),
      run: async (command, args): Promise<unknown> => commands.execute(command, { ...args })
    };
    const revealFolder = (path: string): void => void commands.execute(REVEAL_FOLDER, { path });
    const context = (): IJobContext => ({
      ...common,
      showPurpose: options.showPurpose,
      // Notebook 7 shows no file browser beside a notebook.
      ...(commands.hasCommand(REVEAL_FOLDER) ? { revealFolder } : {})
    });
    const panel = new JobsPanel({ agent, jobs, context });
    shell.add(panel, 'right', { rank: RANK });
    restorer?.add(panel, panel.id);
    addShowJobs({
      commands,
      trans,
      opensOnSubmit: () => options.openOnSubmit,
      show: job => {
        shell.activateById(panel.id);
        if (job !== undefined) panel.reveal(job).catch((error: unknown) => tellProblem(error, trans));
      }
    });
    palette?.addItem({ command: CommandIDs.showJobs, category: trans.__('Cloister'), args: { isPalette: true } });
    const follow = (loaded: ISettingRegistry.ISettings): void => {
      options = optionsOf(loaded.composite);
      panel.update();
    };
    // Without its settings the sidebar goes by their defaults.
    void settings?.load(ID).then(
      loaded => {
        follow(loaded);
        loaded.changed.connect(follow);
        panel.disposed.connect(() => void loaded.changed.disconnect(follow));
      },
      () => undefined
    );
  }
};

interface IJobsOptions {
  readonly openOnSubmit: boolean;
  readonly showPurpose: boolean;
}

function optionsOf(composite: Readonly<Record<string, unknown>>): IJobsOptions {
  return { openOnSubmit: composite['openOnSubmit'] !== false, showPurpose: composite['showPurpose'] !== false };
}
