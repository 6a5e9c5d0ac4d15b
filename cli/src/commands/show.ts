import type { Command } from 'commander';
import { AppError, ERRORS, TERMINAL_STATES, isErrorCode, retryMayHelp, type JobView } from '@cloister/protocol';
import type { KeptJob } from '@cloister/agent';
import type { CliContext } from '../context.js';
import { printableLine } from '../terminal/printable.js';
import { formatAge, formatBytes, formatDuration } from '../terminal/quantities.js';
import { formatTable } from '../terminal/table.js';
import { describeState } from '../views/submission.js';
import type { AddCommand } from './command.js';

export const addShow: AddCommand = (program, open) => {
  program
    .command('show')
    .description('Show one job: its state, what was sent, what comes next.')
    .argument('<job>', 'the beginning of its id, or `latest`')
    .option('--json', 'one JSON object on stdout')
    .action(async (job: string, flags: { readonly json?: true }, command: Command) => show(open(command), job, flags.json === true));
};

async function show(context: CliContext, reference: string, json: boolean): Promise<void> {
  const agent = await context.agent();
  const job = await agent.resolve(reference);
  const view = await agent.job(job);
  const kept = await agent.kept(job).catch((error: unknown) => {
    // Sent from another state directory with the same keys: the server knows it, this machine does not.
    if (error instanceof AppError && error.code === 'not_found') return undefined;
    throw error;
  });
  if (json) {
    context.printJson({ ...view, ...(kept === undefined ? {} : kept.record) });
    return;
  }
  const { style } = context;
  context.print(`${style.strong(view.job)}\n`);
  context.print(formatTable([...stateRows(view, context.clock.now()), ...(kept === undefined ? [] : keptRows(kept))], { indent: 2 }));
  for (const denial of await agent.denials(view)) context.print(style.caution(`\nDenied  ${printableLine(denial)}`));
  for (const line of nextSteps(view, kept)) context.print(style.faint(`\n${line}`));
}

function stateRows(view: JobView, now: Date): string[][] {
  const took = new Date(view.updatedAt).getTime() - new Date(view.createdAt).getTime();
  const outputs = view.outputs ?? [];
  return [
    ['state', describeState(view)],
    ['attempt', String(view.attempt)],
    ['submitted', `${view.createdAt} (${formatAge(new Date(view.createdAt), now)})`],
    [TERMINAL_STATES.has(view.state) ? 'took' : 'changed', TERMINAL_STATES.has(view.state) ? formatDuration(took) : formatAge(new Date(view.updatedAt), now)],
    ...(outputs.length === 0 ? [] : [['sealed', `${outputs.length} files, ${formatBytes(outputs.reduce((sum, output) => sum + output.size, 0))}`]])
  ];
}

function keptRows({ record, manifest }: KeptJob): string[][] {
  return [
    ['notebook', printableLine(record.notebook)],
    ...(record.purpose === '' ? [] : [['purpose', printableLine(record.purpose)]]),
    ['code', manifest.payload.code.digest],
    ['files', `${record.files.length}, ${formatBytes(record.files.reduce((sum, file) => sum + file.size, 0))}`],
    ['inputs', record.inputs.map(input => input.name).join(', ') || 'none'],
    ['void after', manifest.payload.notAfter],
    ...(record.retryOf === undefined ? [] : [['retry of', record.retryOf]]),
    ...(record.results === undefined ? [] : [['results', printableLine(record.results)]])
  ];
}

function nextSteps(view: JobView, kept: KeptJob | undefined): string[] {
  const short = view.job.slice(7, 15);
  const hint = view.code !== undefined && isErrorCode(view.code) ? [ERRORS[view.code].hint] : [];
  if (!TERMINAL_STATES.has(view.state)) return [...hint, `cloister cancel ${short}`];
  const open = view.report !== undefined && kept?.record.results === undefined ? [`cloister outputs ${short}`] : [];
  return [...hint, ...open, ...(retryMayHelp(view) ? [`cloister retry ${short}`] : [])];
}
