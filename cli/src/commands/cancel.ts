import type { Command } from 'commander';
import type { CliContext } from '../context.js';
import { describeState } from '../views/submission.js';
import type { AddCommand } from './command.js';

export const addCancel: AddCommand = (program, open) => {
  program
    .command('cancel')
    .description('Cancel a job that has not ended.')
    .argument('<job>', 'the beginning of its id, or `latest`')
    .option('--json', 'one JSON object on stdout')
    .action(async (job: string, flags: { readonly json?: true }, command: Command) => cancel(open(command), job, flags.json === true));
};

async function cancel(context: CliContext, reference: string, json: boolean): Promise<void> {
  const agent = await context.agent();
  const view = await agent.cancel(await agent.resolve(reference));
  if (json) context.printJson(view);
  else context.print(`${view.job.slice(7, 15)}  ${describeState(view)}`);
}
