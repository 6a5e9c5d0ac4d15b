import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { addCancelJob } from '../commands/cancel-job';
import { addDeleteJob } from '../commands/delete-job';
import type { IJobCommandDeps } from '../commands/job-commands';
import { addOpenNotebook } from '../commands/open-notebook';
import { addOpenOutputs } from '../commands/open-outputs';
import { addRetryJob } from '../commands/retry-job';
import { IAgent, IJobs } from '../tokens';
import { DOMAIN } from '../translation';

/** What can be done with one job. They take the job as an argument, so the palette has none of them. */
export const commandsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'cloister:commands',
  description: 'Adds the commands that cancel, delete, retry and open jobs.',
  autoStart: true,
  requires: [IAgent, IJobs],
  optional: [ITranslator],
  activate: (app: JupyterFrontEnd, agent: IAgent, jobs: IJobs, translator: ITranslator | null): void => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const { contents } = app.serviceManager;
    const exists = async (path: string): Promise<boolean> =>
      contents.get(path, { content: false }).then(
        () => true,
        () => false
      );
    const deps: IJobCommandDeps = { commands: app.commands, agent, jobs, trans, exists };
    for (const add of [addCancelJob, addDeleteJob, addRetryJob, addOpenNotebook, addOpenOutputs]) add(deps);
  }
};
