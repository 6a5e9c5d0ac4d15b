import {
  AppError,
  RELEASE_AUDIENCE,
  SERVER_ROUTES,
  callRoute,
  type ClientDeps,
  type Digest,
  type Obligations
} from '@cloister/protocol';
import type { RunnerDeps } from '../deps.js';
import { bindingObligations } from '../obligations.js';
import type { Order } from '../order.js';
import { withRetries } from '../retry.js';
import type { AttemptKeys } from './attempt-keys.js';
import { askChallenges } from './challenges.js';
import { collectReleases, type AttestedSession } from './releases.js';
import type { VerifiedRelease } from './receipts.js';
import { buildSession } from './session.js';
import type { OwnToken } from './token-source.js';

/** All that an attempt was given, and on what terms. */
export interface Access {
  readonly session: AttestedSession;
  readonly image: Digest;
  readonly releases: readonly VerifiedRelease[];
  readonly obligations: Obligations;
}

export interface AttestationDeps extends RunnerDeps {
  /** The server, with proofs by the attempt's key. */
  readonly server: ClientDeps;
  readonly signal: AbortSignal;
}

/** A challenge may be lost (a broker restarted) or expire while another broker makes us wait; then all are asked anew. */
const MAX_SESSIONS = 3;

/**
 * Attests once for all brokers and collects every key of the job, or none.
 * @throws AppError release_denied (with the brokers' signed denials) | receipt_rejected | obligation_unknown | …
 */
export async function obtainKeys(order: Order, keys: AttemptKeys, deps: AttestationDeps): Promise<Access> {
  for (let made = 1; ; made += 1) {
    const challenged = await askChallenges(order, deps);
    deps.log('challenged', { brokers: challenged.length });
    const built = buildSession(order, keys, challenged);
    const own = await deps.tokens({ audience: RELEASE_AUDIENCE, type: 'OIDC', nonce: built.nonce, signal: deps.signal });
    const session: AttestedSession = { ...built, tokens: [own.token], instance: own.instance };
    await admit(order, session, deps);
    try {
      const releases = await collectReleases(order, { keys, session, challenged }, deps);
      return accessOf(session, own, releases, deps);
    } catch (error) {
      const lost = error instanceof AppError && error.code === 'challenge_unknown';
      if (!lost || made >= MAX_SESSIONS) throw error;
      deps.log('challenge_lost');
    }
  }
}

/** From here on the server takes progress and outputs of this attempt from this key alone. */
async function admit({ job, attempt }: Order, session: AttestedSession, deps: AttestationDeps): Promise<void> {
  const options = { params: { job, attempt }, body: { session: session.text, tokens: session.tokens }, signal: deps.signal };
  await withRetries(() => callRoute(deps.server, SERVER_ROUTES.admitRunner, options), deps);
}

function accessOf(session: AttestedSession, own: OwnToken, releases: readonly VerifiedRelease[], deps: AttestationDeps): Access {
  return { session, image: own.image, releases, obligations: bindingObligations(releases, deps.clock.now()) };
}

/** Best effort: the garbage collector may have copied them before. */
export function forgetKeys({ releases }: Access): void {
  for (const { fileKeys } of releases) for (const fileKey of fileKeys.values()) fileKey.fill(0);
}
