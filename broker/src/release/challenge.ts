import { AppError, randomBytes, toBase64Url, toTime, type Digest, type Time } from '@cloister/protocol';
import { insertChallenge, openChallenge } from '../store/challenges.js';
import type { Store } from '../store/tables.js';
import { nextReservationEnd, reserveUse } from '../store/uses.js';
import type { BrokerContext } from './context.js';
import { decideJob, type JobDecision, type JobFacts } from './decide.js';
import { denialOf } from './deny.js';
import { gatherFacts } from './gather-facts.js';
import { readSubject } from './subject.js';

/** A challenge, and the uses that are reserved with it, live for five minutes. */
export const CHALLENGE_LIFETIME_MS = 5 * 60 * 1000;

interface Challenge {
  readonly challenge: string;
  readonly expiresAt: Time;
}

/**
 * Decides all that needs no token, reserves one use of the job under each asset's rule, and gives 32 random bytes to
 * attest over. Whoever holds a manifest may ask, so an attempt that has an open challenge is answered with that one: a
 * stranger who asks on and on neither drops the runner's nor makes another. Where half of its time is gone a new one is
 * made beside it, so that the runner always has the time to attest.
 * @throws AppError use_reserved (with `retryAfterSeconds`), or a denial
 */
export async function createChallenge(
  context: BrokerContext,
  request: { readonly manifest: string; readonly attempt: number }
): Promise<Challenge> {
  const subject = await readSubject(context, request.manifest, request.attempt);
  const { digest: job, jws, payload } = subject.manifest;
  const now = context.now();
  const after = (ms: number): Time => toTime(new Date(now.getTime() + ms));
  const result = await context.store.transaction().execute(async (trx): Promise<Challenge | Pick<JobDecision, 'denials'>> => {
    const facts = await gatherFacts(trx, context, subject, now);
    const decided = decideJob(facts);
    if (decided.outcome === 'reserved') throw await reservedElsewhere(trx, facts, decided);
    if (decided.outcome !== 'allow') return { denials: decided.denials };
    for (const grant of decided.grants) await reserveUse(trx, { name: grant.name, rule: grant.rule.id, job }, after(CHALLENGE_LIFETIME_MS));
    const open = await openChallenge(trx, { job, attempt: request.attempt }, after(CHALLENGE_LIFETIME_MS / 2));
    if (open !== undefined) return { challenge: open.challenge, expiresAt: open.expires_at };
    const made = { challenge: toBase64Url(randomBytes(32)), expiresAt: after(CHALLENGE_LIFETIME_MS) };
    const row = { job, attempt: request.attempt, analyst: payload.analyst, manifest: jws, created_at: toTime(now), expires_at: made.expiresAt };
    await insertChallenge(trx, { ...row, challenge: made.challenge }, context.challenges);
    return made;
  });
  if ('challenge' in result) return result;
  const { denials } = result;
  throw await denialOf(context, { job, attempt: request.attempt, analyst: payload.analyst, denials, code: 'released_never' });
}

/** Another job holds the last use and may yet not use it: an answer of a moment, which the ledger need not keep. */
export async function reservedElsewhere(store: Store, facts: JobFacts, { denials }: JobDecision): Promise<AppError> {
  const names = facts.assets.map(asset => asset.descriptor.payload.name);
  const job: Digest = facts.manifest.digest;
  const end = await nextReservationEnd(store, names, job, toTime(facts.now));
  const seconds = end === undefined ? 1 : Math.ceil((Date.parse(end) - facts.now.getTime()) / 1000);
  const rules = denials.map(denial => denial.rule ?? '').join(', ');
  return new AppError('use_reserved', `the last use is reserved (${rules})`, { members: { retryAfterSeconds: Math.max(1, seconds) } });
}
