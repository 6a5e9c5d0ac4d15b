import type { Command } from 'commander';
import { AppError } from '@cloister/protocol';
import type { CliContext } from '../context.js';
import { askYesNo, isInteractive } from '../terminal/ask.js';
import type { AddCommand } from './command.js';

interface DeleteFlags {
  readonly yes?: true;
  readonly json?: true;
}

export const addDelete: AddCommand = (program, open) => {
  program
    .command('delete')
    .description('Delete a job that has ended: its bundle, sealed outputs and report at the server, and the copy kept here. Unsealed results stay.')
    .argument('<job>', 'the beginning of its id, or `latest`')
    .option('--yes', 'do not ask')
    .option('--json', 'one JSON object on stdout')
    .action(async (job: string, flags: DeleteFlags, command: Command) => deleteJob(open(command), job, flags));
};

async function deleteJob(context: CliContext, reference: string, { yes, json }: DeleteFlags): Promise<void> {
  const agent = await context.agent();
  const job = await agent.resolve(reference);
  const sure = yes === true || (isInteractive() && (await askYesNo(`Delete job ${job.slice(7, 15)} with its sealed outputs and report?`)));
  if (!sure) throw new AppError('usage', 'nothing was deleted', { hint: 'Say yes, or give --yes where nobody can be asked.' });
  await agent.delete(job);
  if (json === true) context.printJson({ job, deleted: true });
  else context.print(`${job.slice(7, 15)}  deleted`);
}
