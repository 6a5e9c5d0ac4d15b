import type { Command } from 'commander';
import type { CliContext } from '../context.js';
import { followJob } from '../views/follow-job.js';
import type { AddCommand } from './command.js';

interface RetryFlags {
  readonly wait?: true;
  readonly json?: true;
}

export const addRetry: AddCommand = (program, open) => {
  program
    .command('retry')
    .description('Submit what was sent before as a new job: the same code, the same versions of the same inputs.')
    .argument('<job>', 'the beginning of its id, or `latest`')
    .option('--wait', 'follow the job until it ends')
    .option('--json', 'one JSON object on stdout')
    .action(async (job: string, flags: RetryFlags, command: Command) => retry(open(command), job, flags));
};

async function retry(context: CliContext, reference: string, { wait, json }: RetryFlags): Promise<void> {
  const agent = await context.agent();
  const old = await agent.resolve(reference);
  const { view } = await agent.retry(old);
  if (json !== true) context.print(`${context.style.strong('Job')}  ${view.job}  ${context.style.faint(`(retry of ${old.slice(7, 15)})`)}`);
  if (wait !== true) {
    if (json === true) context.printJson({ ...view, retryOf: old });
    return;
  }
  const followed = await followJob(context, view.job, json === true);
  if (json === true) context.printJson({ ...followed.view, retryOf: old, timeline: followed.timeline });
  context.exitCode = followed.view.state === 'succeeded' ? 0 : 1;
}
