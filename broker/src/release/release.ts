import {
  AppError,
  appraisalOfRule,
  appraisalOfRunner,
  parseSession,
  sessionNonce,
  type DenialReason,
  type ErrorCode,
  type Session
} from '@cloister/protocol';
import { bind, keepReply, mayBind, replyOf } from '../store/bindings.js';
import { challengeOf, deleteChallenge, type StoredChallenge } from '../store/challenges.js';
import { keepTerms } from '../store/terms.js';
import type { Store } from '../store/tables.js';
import { consumeUse } from '../store/uses.js';
import { attestationFacts, attestedRunner, createAppraise } from './appraise.js';
import { reservedElsewhere } from './challenge.js';
import type { BrokerContext } from './context.js';
import { decideJob, type JobDecision } from './decide.js';
import { denialOf } from './deny.js';
import { gatherFacts } from './gather-facts.js';
import type { ReleaseRequest } from './release-request.js';
import { sealRelease } from './seal-release.js';
import { readSubject, type Subject } from './subject.js';

type Outcome =
  | { readonly kind: 'released'; readonly sealed: string }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'denied'; readonly denials: readonly DenialReason[]; readonly code: ErrorCode };

/**
 * Releases all keys of a job that this broker keeps to the attested runner of a session, or none. Equal session bytes
 * get the stored reply, whatever the token: a runner whose reply was lost asks again.
 * @throws AppError challenge_unknown | session_mismatch | use_reserved | verifier_keys_unavailable, or a denial
 */
export async function release(context: BrokerContext, body: { readonly session: string; readonly token: string }): Promise<{ sealed: string }> {
  const session = parseSession(body.session);
  const nonce = sessionNonce(body.session);
  const kept = await replyOf(context.store, nonce);
  if (kept !== undefined) return told(context, kept);
  const challenge = await ownChallenge(context, session);
  const subject = await readSubject(context, challenge.manifest, challenge.attempt);
  await requireSameAttempt(context, session, subject);
  const challengedAt = new Date(challenge.created_at);
  const trust = await context.verifierKeys.trustFor(body.token);
  const appraise = createAppraise(body.token, { trust, nonce, challengedAt, now: context.now(), verifyRsa: context.verifyRsa });
  const request: ReleaseRequest = { session, nonce, challenge: challenge.challenge, subject, appraise };
  const outcome = await context.store.transaction().execute(async trx => releaseOnce(trx, context, request));
  switch (outcome.kind) {
    case 'released':
      context.logger.info({ job: session.job, attempt: session.attempt }, 'released');
      return told(context, outcome.sealed);
    case 'unknown':
      throw unknownChallenge();
    case 'denied':
      throw await denied(context, subject, outcome);
  }
}

/** Nothing is told before the outside heads cover it. */
async function told(context: BrokerContext, sealed: string): Promise<{ sealed: string }> {
  await context.heads.settle();
  return { sealed };
}

async function ownChallenge(context: BrokerContext, session: Session): Promise<StoredChallenge> {
  const own = session.challenges.find(item => item.broker === context.keys.signer.thumbprint);
  if (own === undefined) throw new AppError('session_mismatch', 'the session holds no challenge of this broker');
  const challenge = await challengeOf(context.store, own.challenge, context.now().toISOString());
  if (challenge === undefined) throw unknownChallenge();
  return challenge;
}

const unknownChallenge = (): AppError => new AppError('challenge_unknown', 'the challenge is unknown, used or expired');

/** The step needs no comparison while both schemas know only one. */
async function requireSameAttempt(context: BrokerContext, session: Session, subject: Subject): Promise<void> {
  const { manifest, attempt = 0 } = subject;
  if (session.job === manifest.digest && session.attempt === attempt) return;
  const expected = { job: manifest.digest, attempt };
  const actual = { job: session.job, attempt: session.attempt };
  throw await denied(context, subject, { denials: [{ code: 'session_mismatch', expected, actual }], code: 'session_mismatch' });
}

async function denied(context: BrokerContext, { manifest, attempt }: Subject, why: { denials: readonly DenialReason[]; code: ErrorCode }): Promise<AppError> {
  return denialOf(context, { job: manifest.digest, attempt, analyst: manifest.payload.analyst, ...why });
}

/**
 * The one transaction of a release: decides again by the policies of this moment, consumes the challenge and the uses,
 * binds the attempt to its keys, records, and keeps the reply. Where it denies it has written nothing.
 */
async function releaseOnce(store: Store, context: BrokerContext, request: ReleaseRequest): Promise<Outcome> {
  const { session, nonce, challenge, subject } = request;
  const now = context.now();
  const kept = await replyOf(store, nonce);
  if (kept !== undefined) return { kind: 'released', sealed: kept };
  if ((await challengeOf(store, challenge, now.toISOString())) === undefined) return { kind: 'unknown' };
  const binding = { job: session.job, attempt: session.attempt, recipient: session.recipient, key: session.key };
  if (!(await mayBind(store, binding))) return denialFor('recipient_changed', 'the keys that this attempt has, or fresh ones');
  const facts = await gatherFacts(store, context, subject, now);
  const unattested = decideJob(facts);
  const decision = decideJob({ ...facts, attestation: await attestationFacts(facts, request.appraise) });
  if (decision.outcome === 'reserved') throw await reservedElsewhere(store, facts, decision);
  if (decision.outcome !== 'allow') {
    const code = unattested.outcome === 'allow' ? 'attestation_rejected' : 'released_never';
    return { kind: 'denied', denials: decision.denials, code };
  }
  const runner = await attestedRunner(request.appraise, acceptedUnder(decision, subject));
  if (runner === undefined) return denialFor('attestation_rejected', 'a token that names image and instance');
  const sealed = await sealRelease(store, context, { request, decision, facts, runner });
  for (const { name, rule } of decision.grants) await consumeUse(store, { name, rule: rule.id, job: session.job, attempt: session.attempt });
  await bind(store, binding);
  await deleteChallenge(store, challenge);
  await keepTerms(store, nonce, decision.grants);
  await keepReply(store, nonce, sealed);
  return { kind: 'released', sealed };
}

function denialFor(code: ErrorCode, expected: string): Outcome {
  return { kind: 'denied', denials: [{ code, expected, actual: 'others' }], code };
}

/** Terms that the token was accepted under: those of an asset's rule, or where there is only code the analyst's. */
function acceptedUnder({ grants }: JobDecision, subject: Subject): ReturnType<typeof appraisalOfRule> {
  const [first] = grants;
  return first === undefined ? appraisalOfRunner(subject.manifest.payload.code.runner) : appraisalOfRule(first.rule);
}
