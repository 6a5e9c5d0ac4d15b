import {
  Issuer,
  at,
  createAppraisal,
  readTokenClaims,
  verifyAttestation,
  type AppraisalPolicy,
  type Check,
  type Claims,
  type Freshness,
  type Json,
  type Trust,
  type Verdict
} from '@cloister/protocol';

/** What a person said about a token. What she left out cannot be checked, and is never taken from the token. */
export interface TokenQuestion {
  readonly trust: Trust;
  readonly now: Date;
  readonly policy: AppraisalPolicy | undefined;
  readonly audience: string | undefined;
  readonly nonce: string | undefined;
  /** For tokens that keys depend on: when the challenge was made. */
  readonly challengedAt: Date | undefined;
}

export interface JudgedToken {
  readonly verdict: Verdict;
  /** A pinned simulator issued it: also where it failed otherwise, what it says of hardware did not pass. */
  readonly simulated: boolean;
  readonly checks: readonly Check[];
  /** Where it has expired by now: the time of issue that it was judged at, by its own word. */
  readonly lapsed?: Lapsed;
  /** The token's own word. */
  readonly claims?: Claims;
}

/** A token that is over. Its time of issue, and of its end, in RFC 3339; what it does not state is absent. */
export interface Lapsed {
  readonly issued?: string;
  readonly ended: string;
}

/** Any token of a verifier, by what a person demands of it. Never throws on a bad token: a check fails. */
export async function judgeToken(token: string, question: TokenQuestion): Promise<JudgedToken> {
  const claims = readTokenClaims(token);
  const freshness: Freshness = question.challengedAt === undefined ? { kind: 'report' } : { kind: 'release', issuedAfter: question.challengedAt };
  const { checks, simulated } = await verifyAttestation(token, {
    trust: question.trust,
    now: question.now,
    expect: { audience: question.audience ?? '', nonce: question.nonce ?? '', policy: question.policy ?? anyPolicy(claims), freshness }
  });
  const answers = [policyCheck(question), ...checks.map(check => asFarAsGiven(check, question, claims))];
  const lapsed = lapsedAt(claims, question.now);
  return { verdict: verdictOf(answers, simulated), simulated, checks: answers, ...(lapsed === undefined ? {} : { lapsed }), ...(claims === undefined ? {} : { claims }) };
}

function lapsedAt(claims: Claims | undefined, now: Date): Lapsed | undefined {
  const { issuedAt, expiresAt } = claims ?? {};
  if (expiresAt === undefined || now.getTime() < expiresAt * 1000) return undefined;
  return { ...(issuedAt === undefined ? {} : { issued: timeOf(issuedAt) }), ended: timeOf(expiresAt) };
}

const timeOf = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');

function verdictOf(checks: readonly Check[], simulated: boolean): Verdict {
  if (checks.some(check => check.status === 'fail')) return 'failed';
  if (!checks.every(check => check.status === 'pass')) return 'inconclusive';
  return simulated ? 'simulated' : 'verified';
}

function policyCheck({ policy }: TokenQuestion): Check {
  const named = { id: 'policy', title: 'You said what you demand' };
  return policy === undefined ? { ...named, status: 'unknown', hint: 'give an appraisal policy: --expect FILE' } : { ...named, status: 'pass' };
}

/** Answered by a policy alone: without one, that such a claim can be read at all is no answer. */
const BY_POLICY: ReadonlySet<string> = new Set([
  'support', 'tcb', 'gpu', 'image', 'image_signatures', 'command', 'arguments', 'env_override', 'variables', 'restart', 'monitoring', 'project', 'zone', 'service_accounts'
]);

/** A question that the person did not ask is open, whatever the library says to what we put in its place. A contradiction stays one. */
function asFarAsGiven(check: Check, { policy, audience, nonce }: TokenQuestion, claims: Claims | undefined): Check {
  if (check.status === 'skipped') return check;
  if (check.id === 'audience' && audience === undefined) return open(check, claims?.raw['aud'], 'say for whom the token must be: --audience TEXT');
  if (check.id === 'nonce' && nonce === undefined) return open(check, claims?.raw['eat_nonce'], 'say what it must answer: --nonce TEXT; without it an old token cannot be told from a new one');
  if (policy === undefined && check.status === 'pass' && BY_POLICY.has(check.id)) return open(check, check.actual, 'say what you demand: --expect FILE');
  return check;
}

function open({ id, title }: Check, actual: Json | undefined, hint: string): Check {
  return { id, title, status: 'unknown', ...(actual === undefined ? {} : { actual }), hint };
}

/**
 * Accepts whatever can be accepted at all, so that contradictions show where nobody said what she demands. What no policy could
 * name, such as an issuer that is no URL, is left out, and its check fails.
 */
function anyPolicy(claims: Claims | undefined): AppraisalPolicy {
  const command = claims === undefined ? undefined : commandOf(claims);
  return createAppraisal({
    verifiers: [Issuer.safeParse(claims?.issuer).data].filter(issuer => issuer !== undefined),
    images: claims?.image === undefined ? [] : [claims.image],
    projects: 'any',
    attributes: 'any',
    tcb: 'any',
    envOverrides: 'any',
    restart: ['Never', 'OnFailure', 'Always'],
    monitoring: 'any',
    ...(command === undefined ? {} : { command })
  });
}

/** Of a command's words in a policy, in UTF-16 code units. */
const LONGEST_WORD = 1024;

function commandOf({ raw }: Claims): string[] | undefined {
  const override = at(raw, 'submods', 'container', 'cmd_override');
  if (!Array.isArray(override)) return undefined;
  const words = override.filter(item => typeof item === 'string').filter(item => item.length <= LONGEST_WORD);
  return words.length > 0 && words.length === override.length ? words : undefined;
}
