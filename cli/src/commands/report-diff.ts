import { readOpenedFolder, readReportBytes, verifyReportFile } from '@cloister/agent';
import { AppError, compareReports, digestOf, type OpenedOutputs, type ReportEvidence, type ReportResult, type Verdict } from '@cloister/protocol';
import type { Command } from 'commander';
import type { CliContext } from '../context.js';
import { readOwnTrust, type TrustFlags } from '../reports/own-trust.js';
import { printableLine } from '../terminal/printable.js';
import { wrap } from '../terminal/wrap.js';
import { formatDifferences, worthOf } from '../views/differences.js';
import { formatVerdict } from '../views/verdict.js';
import type { AddCommand } from './command.js';

interface DiffFlags extends TrustFlags {
  readonly outputsA?: string;
  readonly outputsB?: string;
  readonly json?: true;
}

/** As `diff` has it. */
const EXIT = { same: 0, different: 1, unreadable: 2 } as const;

export const addReportDiff: AddCommand = (report, open) => {
  report
    .command('diff')
    .description('Compare two reports. Says first whether each verifies. Exit code: 0 the same, 1 different, 2 could not read. Two runs always differ in job, times and session.')
    .argument('<a>', 'a report')
    .argument('<b>', 'another report')
    .option('--outputs-a <dir>', 'the unsealed outputs of the first')
    .option('--outputs-b <dir>', 'the unsealed outputs of the second; with both, contents are compared too')
    .option('--trust <file>', 'whom you trust (default: your trust.json)')
    .option('--policy <file>', 'what you demand of a runner (default: your appraisal.json)')
    .option('--json', 'one JSON object on stdout')
    .action(async (a: string, b: string, flags: DiffFlags, command: Command) => diff(open(command), [a, b], flags));
};

interface Side {
  readonly path: string;
  readonly verdict: Verdict;
  readonly evidence: ReportEvidence;
}

async function diff(context: CliContext, [pathA, pathB]: readonly [string, string], flags: DiffFlags): Promise<void> {
  context.failureExit = EXIT.unreadable;
  const own = { ...(await readOwnTrust(context, flags)), now: context.clock.now() };
  const opened = await readOpened([pathA, pathB], flags);
  const a = sideOf(pathA, await verifyReportFile(pathA, { ...own, ...(flags.outputsA === undefined ? {} : { outputs: flags.outputsA }) }));
  const b = sideOf(pathB, await verifyReportFile(pathB, { ...own, ...(flags.outputsB === undefined ? {} : { outputs: flags.outputsB }) }));
  const differences = compareReports(a.evidence, b.evidence, opened);
  // A forgery may repeat a true statement word for word: then the verdicts alone differ.
  const isSame = a.verdict === b.verdict && differences.every(item => item.status === 'same');
  context.exitCode = isSame ? EXIT.same : EXIT.different;
  const worth = worthOf([a.verdict, b.verdict]);
  if (flags.json === true) {
    const reports = [a, b].map(({ path, verdict }) => ({ path, verdict }));
    context.printJson({ schema: 'cloister.report-diff.v1', reports, ...(worth === undefined ? {} : { caution: worth }), differences, exit: context.exitCode });
    return;
  }
  const { print, style, width } = context;
  for (const [name, side] of [['a', a], ['b', b]] as const) print(`${style.faint(name)}  ${printableLine(side.path)}\n   ${formatVerdict(side.verdict, style)}`);
  if (worth !== undefined) print(`\n${wrap(worth, width).map(style.caution).join('\n')}`);
  if (a.verdict !== b.verdict) print(`\n${style.strong('Their verdicts differ.')}`);
  print(`\n${formatDifferences(differences, { style, width })}`);
  if (opened === undefined) print(style.faint('\nTo compare what is in the outputs: --outputs-a DIR --outputs-b DIR'));
}

function sideOf(path: string, { verdict, evidence, checks }: ReportResult): Side {
  if (evidence !== undefined) return { path, verdict, evidence };
  const actual = checks.find(check => check.status === 'fail')?.actual;
  throw new AppError('invalid_object', `${path} is no report that can be read${typeof actual === 'string' ? `: ${actual}` : ''}`, { hint: 'Give two reports: *.attestation.json.' });
}

/** @throws AppError usage where only one of the two was given */
async function readOpened([pathA, pathB]: readonly [string, string], { outputsA, outputsB }: DiffFlags): Promise<OpenedOutputs | undefined> {
  if (outputsA === undefined && outputsB === undefined) return undefined;
  if (outputsA === undefined || outputsB === undefined) throw new AppError('usage', 'outputs of one report have nothing to be compared with', { hint: 'Give both: --outputs-a DIR --outputs-b DIR.' });
  return { a: await openedAt(outputsA, pathA), b: await openedAt(outputsB, pathB) };
}

async function openedAt(folder: string, path: string): Promise<OpenedOutputs['a']> {
  return readOpenedFolder(folder, { path, digest: digestOf(await readReportBytes(path)) });
}
