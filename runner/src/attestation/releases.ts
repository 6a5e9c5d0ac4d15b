import { AppError, BROKER_ROUTES, callRoute, fromBase64Url, openBytes, type CompactJws } from '@cloister/protocol';
import type { Order } from '../order.js';
import { withRetries } from '../retry.js';
import type { AttemptKeys } from './attempt-keys.js';
import type { BrokerDeps, Challenged } from './challenges.js';
import { combined, denialOf } from './denials.js';
import { verifyRelease, type VerifiedRelease } from './receipts.js';
import type { BuiltSession } from './session.js';

export interface AttestedSession extends BuiltSession {
  /** As every request carries it: exactly one. */
  readonly tokens: [CompactJws];
  readonly instance: string;
}

/**
 * Asks every broker of the session for its release and verifies each. All of them are asked also where one denies, so that
 * the analyst hears every denial at once.
 */
export async function collectReleases(
  order: Order,
  { keys, session, challenged }: { readonly keys: AttemptKeys; readonly session: AttestedSession; readonly challenged: readonly Challenged[] },
  deps: BrokerDeps
): Promise<VerifiedRelease[]> {
  const asked = await Promise.allSettled(challenged.map(async broker => verifyRelease(await releaseOf(broker, { order, keys, session }, deps), {
    broker,
    job: order.job,
    attempt: order.attempt,
    session: session.nonce,
    instance: session.instance,
    bundle: order.manifest.code.bundle
  })));
  const failures = asked.flatMap((outcome): unknown[] => (outcome.status === 'rejected' ? [outcome.reason] : []));
  if (failures.length > 0) throw combined(failures);
  return asked.flatMap(outcome => (outcome.status === 'fulfilled' ? [outcome.value] : []));
}

async function releaseOf(
  broker: Challenged,
  { order, keys, session }: { readonly order: Order; readonly keys: AttemptKeys; readonly session: AttestedSession },
  deps: BrokerDeps
): Promise<Uint8Array> {
  const client = { transport: deps.transport, baseUrl: broker.url };
  const body = { session: session.text, tokens: session.tokens };
  try {
    // Equal session bytes get the stored reply, so asking again after a lost answer costs no use.
    const { sealed } = await withRetries(() => callRoute(client, BROKER_ROUTES.createRelease, { body, signal: deps.signal }), deps);
    return await openRelease(sealed, keys.identity);
  } catch (error) {
    throw await denialOf(error, broker, order.job);
  }
}

async function openRelease(sealed: string, identity: string): Promise<Uint8Array> {
  try {
    return await openBytes(fromBase64Url(sealed), identity);
  } catch (cause) {
    throw new AppError('receipt_rejected', 'what the broker sent is not sealed to this attempt', { cause });
  }
}
