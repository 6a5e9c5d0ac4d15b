import * as z from 'zod/mini';
import { defineSignedKind } from '../signed/signed-kind.js';
import { Attempt, Bytes32, Digest, Time } from './primitives.js';

/**
 * A broker's signed word that it saw this statement of an attempt that it released to. It signs one for each attempt, so
 * that of two reports for one attempt at most one is witnessed. It says nothing of what is in the statement.
 */
export const Witness = z.strictObject({
  v: z.literal(1),
  job: Digest,
  attempt: Attempt,
  /** Nonce of the session that the broker released to. */
  session: Bytes32,
  /** Digest of the statement's exact bytes. */
  statement: Digest,
  /** The broker's own clock, when it first saw the statement. */
  time: Time
});
export type Witness = z.infer<typeof Witness>;

/** Signed by the broker. */
export const WITNESS = defineSignedKind('witness', Witness);
