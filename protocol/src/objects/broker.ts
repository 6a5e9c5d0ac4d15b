import * as z from 'zod/mini';
import { defineSignedKind } from '../signed/signed-kind.js';
import { AgeRecipient, Thumbprint } from './primitives.js';

/**
 * A broker's word on whom it serves and where to seal things for it. Signed, so that the one thumbprint that an owner
 * compares answers for the recipients too: whoever merely copies a broker's name cannot put its own beside it.
 */
export const BrokerDescription = z.strictObject({
  v: z.literal(1),
  /** Thumbprint of the broker's signing key, which signs this. */
  broker: Thumbprint,
  /** The one owner whom the broker serves. */
  owner: Thumbprint,
  recipients: z.strictObject({ dataset: AgeRecipient, bundle: AgeRecipient, review: AgeRecipient })
});
export type BrokerDescription = z.infer<typeof BrokerDescription>;

/** Signed by the broker. */
export const BROKER = defineSignedKind('broker', BrokerDescription);
