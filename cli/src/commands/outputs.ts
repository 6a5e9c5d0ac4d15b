import type { Command } from 'commander';
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { OpenedResults } from '@cloister/agent';
import type { CliContext } from '../context.js';
import { printable, printableLine } from '../terminal/printable.js';
import { formatBytes } from '../terminal/quantities.js';
import { shellWord } from '../terminal/shell-word.js';
import { formatTable } from '../terminal/table.js';
import { sentenceOf } from '../views/submission.js';
import { countChecks } from '../views/checks.js';
import { explainVerdict, formatVerdict } from '../views/verdict.js';
import type { AddCommand } from './command.js';

interface OutputsFlags {
  readonly into?: string;
  readonly json?: true;
}

export const addOutputs: AddCommand = (program, open) => {
  program
    .command('outputs')
    .description('Verify a job’s report, then unseal its outputs. Nothing is written over.')
    .argument('<job>', 'the beginning of its id, or `latest`')
    .option('--into <dir>', 'a folder that does not exist yet (default: results/<notebook>-<job> beside the notebook)')
    .option('--json', 'one JSON object on stdout')
    .action(async (job: string, flags: OutputsFlags, command: Command) => outputs(open(command), job, flags));
};

async function outputs(context: CliContext, reference: string, { into, json }: OutputsFlags): Promise<void> {
  const agent = await context.agent();
  const opened = await agent.results(await agent.resolve(reference), into === undefined ? {} : { into });
  if (json === true) {
    const { job, verdict, checks, outcome, code, folder, report, files } = opened;
    context.printJson({ job, verdict, outcome, ...(code === undefined ? {} : { code }), folder, report, checks: Object.fromEntries(checks.map(check => [check.id, check.status])), files });
    return;
  }
  const { style, print } = context;
  print(`${formatVerdict(opened.verdict, style)}  ${style.faint(`checks: ${countChecks(opened.checks, opened.verdict === 'simulated')}`)}`);
  print(`${explainVerdict(opened.verdict, { style, width: context.width, of: 'report' })}\n`);
  print(style.strong(printableLine(here(opened.folder))));
  print(formatTable(opened.files.map(file => [printableLine(file.path), formatBytes(file.size)]), { indent: 2, align: ['left', 'right'] }));
  if (opened.outcome === 'failed') await showFailure(context, opened);
  print(style.faint(`\ncloister verify ${shellWord(here(opened.report))} --outputs ${shellWord(here(opened.folder))}`));
}

const TRACEBACK_LINES = 30;

/** The analyst's own traceback. It was written by code that ran on data, so it is shown as text and nothing else. */
async function showFailure({ style, print }: CliContext, { code, files, folder }: OpenedResults): Promise<void> {
  print(`\n${style.bad(`The notebook failed: ${sentenceOf(code ?? 'unknown')}`)}`);
  const traceback = files.find(file => file.kind === 'traceback');
  if (traceback === undefined) return;
  const lines = (await readFile(join(folder, traceback.path), 'utf8')).trimEnd().split('\n');
  if (lines.length > TRACEBACK_LINES) print(style.faint(`  … all of it is in ${printableLine(traceback.path)}`));
  for (const line of lines.slice(-TRACEBACK_LINES)) print(`  ${printable(withoutColours(line))}`);
}

/** IPython colours its tracebacks; without their first character the rest of those sequences would be noise. */
function withoutColours(line: string): string {
  return line.replace(/\u001b\[[0-9;]*m/g, '');
}

/** A path as a person standing here would type it. */
function here(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith('..') ? path : near;
}
