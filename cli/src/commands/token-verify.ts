import type { Command } from 'commander';
import { NO_TRUST } from '@cloister/agent';
import { AppError, type AppraisalPolicy, type Trust } from '@cloister/protocol';
import type { CliContext } from '../context.js';
import { readNamedPolicy, trustBy } from '../reports/own-trust.js';
import { parseGivenTime } from '../terminal/given-time.js';
import { printableLine } from '../terminal/printable.js';
import { wrap } from '../terminal/wrap.js';
import { judgeToken, type JudgedToken } from '../tokens/judge-token.js';
import { pinForRun, type PinnedForRun } from '../tokens/pin-for-run.js';
import { readTokenText } from '../tokens/read-token.js';
import { countChecks, formatChecks } from '../views/checks.js';
import { factsOf, formatFacts } from '../views/token-facts.js';
import { VERDICT_EXIT, explainVerdict, formatLapsed, formatVerdict } from '../views/verdict.js';
import { formatMissing, whatToAdd } from '../views/what-to-add.js';
import type { AddCommand } from './command.js';

interface TokenVerifyFlags {
  readonly jwks?: string;
  readonly root?: string;
  readonly issuer?: string;
  readonly now?: string;
  readonly challengedAt?: string;
  readonly audience?: string;
  readonly nonce?: string;
  readonly expect?: string;
  readonly trust?: string;
  readonly json?: true;
  readonly explain?: true;
}

export const addTokenVerify: AddCommand = (token, open) => {
  token
    .command('verify')
    .description('Check a Confidential Space token by your own trust and demands, without any network. Exit code: 0 verified, 1 failed, 2 could not check, 3 simulated only.')
    .argument('[file]', 'the token’s file, or - for what is piped in', '-')
    .option('--audience <text>', 'for whom the token must be')
    .option('--nonce <text>', 'what it must answer')
    .option('--expect <file>', 'what you demand: an appraisal policy')
    .option('--trust <file>', 'whom you trust (default: your trust.json, unless --jwks or --root is given)')
    .option('--jwks <file>', 'a key set as the verifier publishes it, pinned for this run')
    .option('--root <file>', 'a root certificate, pinned for this run')
    .option('--issuer <url>', 'whose keys those are (default: the only one that --expect names)')
    .option('--now <time>', 'judge as of this time, such as 2026-03-01T12:00:00Z (default: this machine’s clock)')
    .option('--challenged-at <time>', 'for tokens that keys depend on: it must be issued after this time and be fresh (default: it is judged at its time of issue, and may have expired since)')
    .option('--explain', 'say of every check what it asks, why, and what was found')
    .option('--json', 'one JSON object on stdout')
    .action(async (file: string, flags: TokenVerifyFlags, command: Command) => verify(open(command), file, flags));
};

async function verify(context: CliContext, file: string, flags: TokenVerifyFlags): Promise<void> {
  // What goes wrong here says nothing of the token: never "failed".
  context.failureExit = VERDICT_EXIT.inconclusive;
  const now = flags.now === undefined ? context.clock.now() : parseGivenTime('--now', flags.now);
  const challengedAt = flags.challengedAt === undefined ? undefined : parseGivenTime('--challenged-at', flags.challengedAt);
  const policy = flags.expect === undefined ? undefined : await readNamedPolicy(flags.expect);
  const token = await readTokenText(file);
  const pinned = await pinnedFor({ context, flags, policy, now });
  const judged = await judgeToken(token, { trust: pinned.trust, now, policy, challengedAt, audience: flags.audience, nonce: flags.nonce });
  context.exitCode = VERDICT_EXIT[judged.verdict];
  if (flags.json === true) context.printJson(jsonOf(judged, { now, pinned, exit: context.exitCode }));
  else show(context, judged, { token, flags, pinned });
}

interface Given {
  readonly context: CliContext;
  readonly flags: TokenVerifyFlags;
  readonly policy: AppraisalPolicy | undefined;
  readonly now: Date;
}

async function pinnedFor({ context, flags, policy, now }: Given): Promise<PinnedForRun> {
  const { jwks, root } = flags;
  if (jwks === undefined && root === undefined) return { trust: await trustBy(context.state.trust, flags.trust), told: [] };
  const trust = flags.trust === undefined ? NO_TRUST : await trustBy(context.state.trust, flags.trust);
  const issuer = flags.issuer ?? onlyIssuer(policy);
  return pinForRun(trust, { ...(jwks === undefined ? {} : { jwks }), ...(root === undefined ? {} : { root }) }, { issuer, now });
}

/**
 * Whose keys were given, where the policy leaves no choice. Never the token's own word: it would let a simulator's keys vouch for
 * a token that calls itself Google's.
 * @throws AppError usage where the policy names several, or there is none
 */
function onlyIssuer(policy: AppraisalPolicy | undefined): string {
  const [only, ...others] = new Set(policy?.verifiers);
  if (only !== undefined && others.length === 0) return only;
  const why = only === undefined ? 'nothing says whose keys --jwks or --root hold' : 'the policy names several verifiers, so nothing says whose keys --jwks or --root hold';
  throw new AppError('usage', why, { hint: `Say whose they are, as you know it from where you have them: --issuer ${only === undefined ? 'URL' : [only, ...others].join(' or --issuer ')}.` });
}

interface Shown {
  readonly token: string;
  readonly flags: TokenVerifyFlags;
  readonly pinned: PinnedForRun;
}

function show({ style, width, print }: CliContext, { verdict, simulated, checks, claims, lapsed }: JudgedToken, { token, flags, pinned }: Shown): void {
  print(lapsed === undefined ? formatVerdict(verdict, style) : formatLapsed(verdict, lapsed, style));
  print(`${explainVerdict(verdict, { style, width, of: lapsed === undefined ? 'token' : 'lapsed' })}\n`);
  if (claims !== undefined) print(`${formatFacts(factsOf(claims))}\n`);
  for (const line of pinned.told) print(wrap(printableLine(`Pinned for this run: ${line}.`), width).join('\n'));
  if (pinned.told.length > 0) print('');
  print(`${formatChecks(checks, { style, width, simulated, explain: flags.explain === true })}\n`);
  print(`  ${countChecks(checks, simulated)}\n`);
  const missing = whatToAdd({ checks, token, trust: pinned.trust, trustFile: flags.trust });
  if (missing.length > 0) print(`${formatMissing(missing, { style, width })}\n`);
}

interface JsonParts {
  readonly now: Date;
  readonly pinned: { readonly told: readonly string[]; readonly trust: Trust };
  readonly exit: number;
}

function jsonOf({ verdict, checks, claims, lapsed }: JudgedToken, { now, pinned, exit }: JsonParts): unknown {
  return { schema: 'cloister.token.v1', now: now.toISOString(), verdict, expired: lapsed !== undefined, checks, pinned: pinned.told, ...(claims === undefined ? {} : { subject: factsOf(claims) }), exit };
}
