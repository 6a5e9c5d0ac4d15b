import { Session, compareUtf8, jcs, sessionNonce, type Bytes32 } from '@cloister/protocol';
import type { Order } from '../order.js';
import type { AttemptKeys } from './attempt-keys.js';
import type { Challenged } from './challenges.js';

export interface BuiltSession {
  /** Exact RFC 8785 text: what is hashed, sent and later put into the report. */
  readonly text: string;
  readonly nonce: Bytes32;
}

/** One session for all brokers of the attempt. */
export function buildSession(order: Order, keys: AttemptKeys, challenged: readonly Challenged[]): BuiltSession {
  const text = jcs(
    Session.parse({
      v: 1,
      job: order.job,
      step: 'main',
      attempt: order.attempt,
      recipient: keys.recipient,
      key: keys.signer.thumbprint,
      challenges: challenged
        .map(({ broker, challenge }) => ({ broker, challenge }))
        .sort((a, b) => compareUtf8(a.broker, b.broker))
    })
  );
  return { text, nonce: sessionNonce(text) };
}
