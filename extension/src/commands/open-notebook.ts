import type { IDisposable } from '@lumino/disposable';
import { notebookIcon } from '@jupyterlab/ui-components';
import { AppError, visibleLine } from '@cloister/protocol';
import { isReachable } from '../jobs/open-outputs';
import { CommandIDs } from './ids';
import { JOB_ARGS, jobOf } from './job-args';
import type { IJobCommandDeps } from './job-commands';
import { tellProblem } from './tell-problem';

/** Opens the notebook that a job was made from, as it is now. */
export function addOpenNotebook({ commands, jobs, trans, exists }: IJobCommandDeps): IDisposable {
  return commands.addCommand(CommandIDs.openNotebook, {
    label: trans.__('Open Notebook of Job'),
    caption: trans.__('Open the notebook that a job was made from, as it is now'),
    icon: notebookIcon,
    describedBy: { args: JOB_ARGS },
    execute: async args => {
      try {
        const job = jobOf(args);
        const path = (jobs.find(job) ?? (await jobs.fetch(job))).notebook;
        if (path === undefined) throw new AppError('notebook_missing', trans.__('The job was sent from another machine.'), { hint: trans.__('Open the notebook there.') });
        if (!isReachable(path) || !(await exists(path))) {
          throw new AppError('notebook_missing', visibleLine(path), { hint: trans.__('It was moved or deleted since, or lies outside of the folder that Jupyter shows.') });
        }
        await commands.execute('docmanager:open', { path });
      } catch (error) {
        tellProblem(error, trans);
      }
    }
  });
}
