import type { Command } from 'commander';
import { AppError, findEquivocation, isBySimulator, type Equivocation, type ReportResult, type Verdict } from '@cloister/protocol';
import { verifyReportFile } from '@cloister/agent';
import type { CliContext } from '../context.js';
import { readOwnTrust, type OwnTrust } from '../reports/own-trust.js';
import { listReports } from '../reports/report-files.js';
import { parseGivenTime } from '../terminal/given-time.js';
import { printableLine } from '../terminal/printable.js';
import { countChecks, formatChecks } from '../views/checks.js';
import { formatEquivocation } from '../views/equivocation.js';
import { formatSubject, subjectOf } from '../views/subject.js';
import { VERDICT_EXIT, explainVerdict, formatVerdict } from '../views/verdict.js';
import type { VerifyJson } from '../views/verification-json.js';
import { formatMissing, whatToAdd } from '../views/what-to-add.js';
import type { AddCommand } from './command.js';

interface VerifyFlags {
  readonly outputs?: string;
  readonly trust?: string;
  readonly policy?: string;
  readonly now?: string;
  readonly json?: true;
  readonly explain?: true;
}

interface VerifiedFile {
  readonly path: string;
  readonly result: ReportResult;
}

export const addVerify: AddCommand = (program, open) => {
  program
    .command('verify')
    .description('Check reports by your own trust, without any network. Exit code: 0 verified, 1 failed, 2 could not check, 3 simulated only.')
    .argument('<report...>', '*.attestation.json, or a folder with such files')
    .option('--outputs <dir>', 'the folder of unsealed outputs, to check them too')
    .option('--trust <file>', 'whom you trust (default: your trust.json)')
    .option('--policy <file>', 'what you demand of a runner (default: your appraisal.json)')
    .option('--now <time>', 'judge as of this time, such as 2026-03-01T12:00:00Z (default: this machine’s clock)')
    .option('--explain', 'say of every check what it asks, why, and what was found')
    .option('--json', 'one JSON object on stdout')
    .action(async (reports: string[], flags: VerifyFlags, command: Command) => verify(open(command), reports, flags));
};

async function verify(context: CliContext, paths: readonly string[], flags: VerifyFlags): Promise<void> {
  // What goes wrong here says nothing of the report: never "failed".
  context.failureExit = VERDICT_EXIT.inconclusive;
  const now = flags.now === undefined ? context.clock.now() : parseGivenTime('--now', flags.now);
  const reports = await listReports(paths);
  if (flags.outputs !== undefined && reports.length > 1) throw new AppError('usage', 'outputs belong to one report', { hint: 'Give one report with --outputs.' });
  const own = await readOwnTrust(context, flags);
  const options = { ...own, now, ...(flags.outputs === undefined ? {} : { outputs: flags.outputs }) };
  const files: VerifiedFile[] = [];
  // One file that somebody named by itself is a mistake of hers; among several, what somebody laid there must not hide the others.
  const alone = flags.outputs !== undefined || (reports.length === 1 && reports[0] === paths[0]);
  for (const path of reports) files.push({ path, result: await (alone ? verifyReportFile(path, options) : verifyOrSayWhy(path, options)) });
  const equivocation = findEquivocation(files.flatMap(({ path, result: { evidence } }) => (evidence === undefined ? [] : [{ name: path, evidence }])));
  context.exitCode = equivocation.length > 0 ? VERDICT_EXIT.failed : VERDICT_EXIT[worstOf(files)];
  if (flags.json === true) context.printJson(jsonOf(files, { now, equivocation, exit: context.exitCode }));
  else show(context, files, { flags, own, equivocation });
}

/** A file that cannot be read is one report that could not be checked. */
async function verifyOrSayWhy(path: string, options: Parameters<typeof verifyReportFile>[1]): Promise<ReportResult> {
  return verifyReportFile(path, options).catch((cause: unknown) => {
    if (!(cause instanceof AppError)) throw cause;
    return { verdict: 'inconclusive', checks: [{ id: 'file', title: 'The report is a plain file that can be read', status: 'unknown', actual: cause.detail, hint: cause.hint }] };
  });
}

/** Of several reports the worst: failed, then could not check, then simulated. */
function worstOf(files: readonly VerifiedFile[]): Verdict {
  const order = ['failed', 'inconclusive', 'simulated', 'verified'] as const;
  return order.find(candidate => files.some(file => file.result.verdict === candidate)) ?? 'inconclusive';
}

interface Shown {
  readonly flags: VerifyFlags;
  readonly own: OwnTrust;
  readonly equivocation: readonly Equivocation[];
}

function show(context: CliContext, files: readonly VerifiedFile[], shown: Shown): void {
  for (const file of files) showOne(context, file, shown);
  if (files.length > 1) context.print(summaryOf(files, context));
  if (shown.equivocation.length > 0) context.print(`\n${formatEquivocation(shown.equivocation, context)}`);
}

function showOne({ style, width, print }: CliContext, { path, result }: VerifiedFile, { flags, own }: Shown): void {
  print(`${formatVerdict(result.verdict, style)}\n${style.faint(printableLine(path))}`);
  print(`${explainVerdict(result.verdict, { style, width, of: 'report' })}\n`);
  if (result.evidence === undefined) {
    const found = printableLine(reasonOf(result));
    print(result.verdict === 'failed' ? `  ${style.bad('FAIL')}  not an attestation report that can be read: ${found}\n` : `  ${style.caution('unknown')}  ${found}\n`);
    return;
  }
  const simulated = isBySimulator(result, own.trust);
  print(`${formatSubject(subjectOf(result.evidence))}\n`);
  print(`${formatChecks(result.checks, { style, width, simulated, explain: flags.explain === true })}\n`);
  // The top has scrolled away by now.
  print(`  ${countChecks(result.checks, simulated)}\n  ${formatVerdict(result.verdict, style)}\n`);
  const missing = whatToAdd({ checks: result.checks, evidence: result.evidence, token: result.evidence.token, trust: own.trust, trustFile: flags.trust });
  if (missing.length > 0) print(`${formatMissing(missing, { style, width })}\n`);
}

function summaryOf(files: readonly VerifiedFile[], { style }: CliContext): string {
  return files.map(({ path, result }) => `${formatVerdict(result.verdict, style)}  ${style.faint(printableLine(path))}`).join('\n');
}

/** Nothing but its form could be looked at, and that failed; or not even that. */
function reasonOf({ checks }: ReportResult): string {
  const actual = checks.find(check => check.status === 'fail' || check.status === 'unknown')?.actual;
  return typeof actual === 'string' ? actual : 'not well formed';
}

function jsonOf(files: readonly VerifiedFile[], { now, equivocation, exit }: { readonly now: Date; readonly equivocation: readonly Equivocation[]; readonly exit: number }): VerifyJson {
  return {
    schema: 'cloister.verify.v1',
    now: now.toISOString(),
    reports: files.map(({ path, result: { verdict, checks, evidence } }) => ({ path, verdict, checks, ...(evidence === undefined ? {} : { subject: subjectOf(evidence) }) })),
    equivocation,
    exit
  };
}
