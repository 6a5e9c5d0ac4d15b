import { AppError, BROKER_ROUTES, callRoute, type Bytes32, type Transport } from '@cloister/protocol';
import type { Clock } from '../clock.js';
import type { Order } from '../order.js';
import { retryAfterMs, withRetries } from '../retry.js';
import { requireNotStopped } from '../stopping.js';
import { codeOnlyBrokers, inputBrokers, type NamedBroker } from './brokers.js';
import { combined, denialOf } from './denials.js';

export interface Challenged extends NamedBroker {
  readonly challenge: Bytes32;
}

export interface BrokerDeps {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Longest wait for a use that another job has reserved. Reservations end with their challenge, within minutes. */
const LONGEST_RESERVED_MS = 15 * 60_000;
const MIN_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 60_000;

/**
 * One challenge from every broker that must release. Brokers of inputs are asked in order of thumbprint and one after the
 * other, since each may reserve a use. A custodian of the code alone reserves nothing, so it comes first, and the next is asked
 * where it fails: any one suffices.
 */
export async function askChallenges(order: Order, deps: BrokerDeps): Promise<Challenged[]> {
  const brokers = inputBrokers(order);
  const challenged = brokers.some(({ keepsCode }) => keepsCode) ? [] : [await askCodeCustodian(order, deps)];
  for (const broker of brokers) challenged.push(await askOne(broker, order, deps));
  return challenged;
}

async function askCodeCustodian(order: Order, deps: BrokerDeps): Promise<Challenged> {
  const failures: unknown[] = [];
  for (const custodian of codeOnlyBrokers(order)) {
    try {
      return await askOne(custodian, order, deps);
    } catch (error) {
      requireNotStopped(deps.signal);
      failures.push(error);
    }
  }
  throw combined(failures);
}

async function askOne(broker: NamedBroker, order: Order, deps: BrokerDeps): Promise<Challenged> {
  const client = { transport: deps.transport, baseUrl: broker.url };
  const body = { manifest: order.manifestJws, attempt: order.attempt };
  let waited = 0;
  for (;;) {
    try {
      const { challenge } = await withRetries(() => callRoute(client, BROKER_ROUTES.createChallenge, { body, signal: deps.signal }), deps);
      return { ...broker, challenge };
    } catch (error) {
      const reserved = error instanceof AppError && error.code === 'use_reserved';
      if (!reserved || waited >= LONGEST_RESERVED_MS) throw await denialOf(error, broker, order.job);
      const pause = Math.min(MAX_PAUSE_MS, Math.max(MIN_PAUSE_MS, retryAfterMs(error)));
      await deps.clock.wait(pause, deps.signal);
      requireNotStopped(deps.signal);
      waited += pause;
    }
  }
}
