import type { IDisposable } from '@lumino/disposable';
import { stopIcon } from '@jupyterlab/ui-components';
import { AGENT_ROUTES } from '@cloister/protocol';
import { CommandIDs } from './ids';
import { JOB_ARGS, jobOf } from './job-args';
import type { IJobCommandDeps } from './job-commands';
import { tellProblem } from './tell-problem';

/** Ends a job at the server; what it had not sealed yet is gone. */
export function addCancelJob({ commands, agent, jobs, trans }: IJobCommandDeps): IDisposable {
  return commands.addCommand(CommandIDs.cancelJob, {
    label: trans.__('Cancel Job'),
    caption: trans.__('Stop a job that has not ended; there will be no outputs'),
    icon: stopIcon,
    describedBy: { args: JOB_ARGS },
    execute: async args => {
      try {
        const job = jobOf(args);
        await agent.call(AGENT_ROUTES.cancelOwnJob, { params: { job }, body: {} });
        await jobs.fetch(job);
      } catch (error) {
        tellProblem(error, trans);
      }
    }
  });
}
