import type { Command } from 'commander';
import type { JobView } from '@cloister/protocol';
import type { CliContext } from '../context.js';
import { printableLine } from '../terminal/printable.js';
import { formatAge } from '../terminal/quantities.js';
import { formatTable } from '../terminal/table.js';
import { basename } from 'node:path';
import { wholeNumber, type AddCommand } from './command.js';

interface JobsFlags {
  readonly limit?: number;
  readonly cursor?: string;
  readonly json?: true;
}

export const addJobs: AddCommand = (program, open) => {
  program
    .command('jobs')
    .description('List your jobs, newest first.')
    .option('--limit <number>', 'how many (default: 20, at most 200)', wholeNumber)
    .option('--cursor <text>', 'go on where a page ended')
    .option('--json', 'one JSON object on stdout')
    .action(async (flags: JobsFlags, command: Command) => jobs(open(command), flags));
};

async function jobs(context: CliContext, { limit = 20, cursor, json }: JobsFlags): Promise<void> {
  const agent = await context.agent();
  const page = await agent.jobs({ limit: Math.min(limit, 200), ...(cursor === undefined ? {} : { cursor }) });
  const records = await agent.recordsOf(page.jobs.map(view => view.job));
  if (json === true) {
    context.printJson({ jobs: page.jobs.map(view => ({ ...view, notebook: records.get(view.job)?.notebook })), ...(page.next === undefined ? {} : { next: page.next }) });
    return;
  }
  if (page.jobs.length === 0) {
    context.print('You have not submitted any job yet: `cloister submit NOTEBOOK`.');
    return;
  }
  const now = context.clock.now();
  const rows = page.jobs.map(view => [
    view.job.slice(7, 15),
    { text: view.state, ...paintOf(view, context) },
    printableLine(basename(records.get(view.job)?.notebook ?? 'sent elsewhere')),
    view.cells === undefined ? '' : `${view.cells.done}/${view.cells.total}`,
    formatAge(new Date(view.createdAt), now),
    printableLine(view.code ?? '')
  ]);
  context.print(formatTable(rows, { head: ['JOB', 'STATE', 'NOTEBOOK', 'CELLS', 'SUBMITTED', 'CODE'], align: ['left', 'left', 'left', 'right', 'right'] }));
  if (page.next !== undefined) context.print(context.style.faint(`more: cloister jobs --cursor ${printableLine(page.next)}`));
}

function paintOf({ state }: JobView, { style }: CliContext): { readonly paint?: (text: string) => string } {
  switch (state) {
    case 'failed':
    case 'lost':
      return { paint: style.bad };
    case 'waiting':
      return { paint: style.caution };
    case 'cancelled':
      return { paint: style.faint };
    case 'queued':
    case 'launching':
    case 'attesting':
    case 'running':
    case 'sealing':
    // The operator's word: green is for what a verified report says.
    case 'succeeded':
      return {};
  }
}
