import type { Command } from 'commander';
import { AppError, type ReportResult } from '@cloister/protocol';
import { findContradictions, readAppraisal, readTrust, verifyReportFile } from '@cloister/agent';
import type { CliContext } from '../context.js';
import { printableLine } from '../terminal/printable.js';
import { VERDICT_EXIT, countChecks, explainVerdict, formatChecks, formatSubject, formatVerdict } from '../views/verdict.js';
import type { AddCommand } from './command.js';

interface VerifyFlags {
  readonly outputs?: string;
  readonly trust?: string;
  readonly policy?: string;
  readonly json?: true;
}

interface VerifiedFile {
  readonly path: string;
  readonly result: ReportResult;
}

export const addVerify: AddCommand = (program, open) => {
  program
    .command('verify')
    .description('Check reports by your own trust, without any network. Exit code: 0 verified, 1 failed, 2 could not check, 3 simulated only.')
    .argument('<report...>', '*.attestation.json')
    .option('--outputs <dir>', 'the folder of unsealed outputs, to check them too')
    .option('--trust <file>', 'whom you trust (default: your trust.json)')
    .option('--policy <file>', 'what you demand of a runner (default: your appraisal.json)')
    .option('--json', 'one JSON object on stdout')
    .action(async (reports: string[], flags: VerifyFlags, command: Command) => verify(open(command), reports, flags));
};

async function verify(context: CliContext, paths: readonly string[], flags: VerifyFlags): Promise<void> {
  // What goes wrong here says nothing of the report: never "failed".
  context.failureExit = VERDICT_EXIT.inconclusive;
  if (flags.outputs !== undefined && paths.length > 1) throw new AppError('usage', 'outputs belong to one report', { hint: 'Give one report with --outputs.' });
  const options = {
    trust: await readTrust(flags.trust ?? context.state.trust),
    policy: await readAppraisal(await policyPath(context, flags)),
    now: context.clock.now(),
    ...(flags.outputs === undefined ? {} : { outputs: flags.outputs })
  };
  const files: VerifiedFile[] = [];
  for (const path of paths) files.push({ path, result: await verifyReportFile(path, options) });
  const contradictions = findContradictions(files.map(file => file.result));
  if (flags.json === true) context.printJson(jsonOf(files, contradictions));
  else show(context, files, contradictions);
  context.exitCode = contradictions.length > 0 ? VERDICT_EXIT.failed : worst(files);
}

/** A policy that was named must be there; the default one may be missing, and then nothing is better than inconclusive. */
async function policyPath(context: CliContext, { policy }: VerifyFlags): Promise<string> {
  if (policy === undefined) return context.state.appraisal;
  if ((await readAppraisal(policy)) === undefined) throw new AppError('usage', `there is no policy ${policy}`);
  return policy;
}

/** Of several reports the worst: failed, then could not check, then simulated. */
function worst(files: readonly VerifiedFile[]): number {
  const order = ['failed', 'inconclusive', 'simulated', 'verified'] as const;
  const verdict = order.find(candidate => files.some(file => file.result.verdict === candidate));
  return VERDICT_EXIT[verdict ?? 'inconclusive'];
}

function show({ style, print }: CliContext, files: readonly VerifiedFile[], contradictions: readonly string[]): void {
  for (const { path, result } of files) {
    print(`${formatVerdict(result.verdict, style)}  ${style.faint(printableLine(path))}`);
    print(`${explainVerdict(result.verdict, style)}\n`);
    if (result.evidence === undefined) {
      print(`  ${style.bad('FAIL')}  not an attestation report that can be read: ${printableLine(reasonOf(result))}\n`);
      continue;
    }
    const subject = formatSubject(result);
    if (subject !== '') print(`${subject}\n`);
    const simulated = result.verdict === 'simulated';
    print(`${formatChecks(result.checks, style, simulated)}\n`);
    print(`  ${countChecks(result.checks, simulated)}\n`);
  }
  for (const attempt of contradictions) print(style.bad(`Two different statements for job ${attempt}: at least one of them is a lie.`));
}

/** Nothing but its form could be looked at, and that failed. */
function reasonOf({ checks }: ReportResult): string {
  const actual = checks.find(check => check.status === 'fail')?.actual;
  return typeof actual === 'string' ? actual : 'not well formed';
}

function jsonOf(files: readonly VerifiedFile[], contradictions: readonly string[]): unknown {
  return { reports: files.map(({ path, result: { verdict, checks } }) => ({ path, verdict, checks })), contradictions };
}
