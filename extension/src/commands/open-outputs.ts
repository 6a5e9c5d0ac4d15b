import type { IDisposable } from '@lumino/disposable';
import { folderIcon } from '@jupyterlab/ui-components';
import type { Digest } from '@cloister/protocol';
import type { OpenOutcome } from '../jobs/open-outcome';
import { openOutputs } from '../jobs/open-outputs';
import { CommandIDs } from './ids';
import { JOB_ARGS, jobOf } from './job-args';
import type { IJobCommandDeps } from './job-commands';
import { notifyProblem, tellProblem } from './tell-problem';

/** Verifies, unseals and opens the outputs of a job. Returns an OpenOutcome. */
export function addOpenOutputs({ commands, agent, jobs, trans, exists }: IJobCommandDeps): IDisposable {
  const open = async (path: string): Promise<void> => {
    await commands.execute('docmanager:open', { path });
  };
  const running = new Map<Digest, Promise<OpenOutcome>>();
  // Pressed twice it is done once: the second would only find the first one's files in its way.
  const openOnce = async (job: Digest): Promise<OpenOutcome> => {
    const opening = running.get(job) ?? openOutputs({ agent, jobs, trans, exists, open }, job).finally(() => running.delete(job));
    running.set(job, opening);
    return opening;
  };
  return commands.addCommand(CommandIDs.openOutputs, {
    label: trans.__('Verify and Open Outputs'),
    caption: trans.__('Verify the report of a job, then unseal its outputs and open the executed notebook'),
    icon: folderIcon,
    describedBy: {
      args: { ...JOB_ARGS, properties: { ...JOB_ARGS.properties, quiet: { type: 'boolean', description: 'The caller shows what went wrong itself.' } } }
    },
    execute: async args => {
      try {
        const outcome = await openOnce(jobOf(args));
        if (outcome.kind === 'refused' && args['quiet'] !== true) notifyProblem(outcome.problem, trans);
        return outcome;
      } catch (error) {
        tellProblem(error, trans);
        return undefined;
      }
    }
  });
}
