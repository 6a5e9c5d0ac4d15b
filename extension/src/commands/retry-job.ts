import type { IDisposable } from '@lumino/disposable';
import { refreshIcon } from '@jupyterlab/ui-components';
import { AGENT_ROUTES } from '@cloister/protocol';
import { CommandIDs } from './ids';
import { JOB_ARGS, jobOf } from './job-args';
import type { IJobCommandDeps } from './job-commands';
import { tellProblem } from './tell-problem';

/** Sends the same code on the same versions of the same inputs as a new job, and shows that. */
export function addRetryJob({ commands, agent, jobs, trans }: IJobCommandDeps): IDisposable {
  return commands.addCommand(CommandIDs.retryJob, {
    label: trans.__('Retry Job'),
    caption: trans.__('Send the same code and inputs again, as a new job'),
    icon: refreshIcon,
    describedBy: { args: JOB_ARGS },
    execute: async args => {
      try {
        const { job } = await agent.call(AGENT_ROUTES.retryOwnJob, { params: { job: jobOf(args) }, body: {} });
        await jobs.fetch(job);
        if (commands.hasCommand(CommandIDs.showJobs)) await commands.execute(CommandIDs.showJobs, { job });
      } catch (error) {
        tellProblem(error, trans);
      }
    }
  });
}
