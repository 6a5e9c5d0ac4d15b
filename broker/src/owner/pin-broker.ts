import { createPrivateFile } from '@cloister/kit';
import { AgeRecipient, AppError, BROKER_ROUTES, ServiceUrl, Thumbprint, callRoute, jcs, type Transport } from '@cloister/protocol';
import { join } from 'node:path';
import * as z from 'zod/mini';
import type { Owner } from './owner.js';
import { readRecord } from './records.js';

/** The public keys of the broker that serves an owner. */
export const BrokerDescription = z.strictObject({
  broker: Thumbprint,
  owner: Thumbprint,
  recipients: z.strictObject({ dataset: AgeRecipient, bundle: AgeRecipient, review: AgeRecipient })
});
export type BrokerDescription = z.infer<typeof BrokerDescription>;

const PinnedBroker = z.strictObject({ v: z.literal(1), url: ServiceUrl, description: BrokerDescription });

export interface PinnedBroker {
  /** Where the broker is reached; the keys count, not the address. */
  readonly url: string;
  readonly description: BrokerDescription;
}

const pinFile = (owner: Owner): string => join(owner.dir, 'broker.json');

/** The pinned broker. @throws AppError trust_missing where none is pinned yet */
export async function pinnedBroker(owner: Owner): Promise<PinnedBroker> {
  const pinned = await readRecord(pinFile(owner), PinnedBroker);
  if (pinned === undefined) throw new AppError('trust_missing', `no broker is pinned in ${owner.dir}`, { hint: 'Seal an asset first: that pins its broker.' });
  return { url: pinned.url, description: pinned.description };
}

/**
 * Asks a broker for its keys and pins them on first contact. The owner's broker is her own: on first contact she
 * reaches it in a way that she trusts. Later other keys are refused, whoever answers.
 * @throws AppError wrong_signer where the keys changed, or the broker serves another owner
 */
export async function pinBroker(owner: Owner, where: { readonly url: string; readonly transport: Transport }): Promise<PinnedBroker> {
  const url = ServiceUrl.safeParse(where.url);
  if (!url.success) throw new AppError('invalid_request', `${where.url} is not the address of a service`, { hint: 'Give http(s)://host without a slash at the end.' });
  const reply = await callRoute({ transport: where.transport, baseUrl: url.data }, BROKER_ROUTES.describeBroker, {});
  const parsed = BrokerDescription.safeParse(reply);
  if (!parsed.success) throw new AppError('invalid_object', 'the broker’s description of itself is not well formed', { cause: parsed.error });
  const description = parsed.data;
  if (description.owner !== owner.signer.thumbprint) {
    throw new AppError('wrong_signer', `the broker at ${url.data} serves ${description.owner}, not you`, { hint: 'Start it with your own thumbprint as its owner.' });
  }
  const pinned = await readRecord(pinFile(owner), PinnedBroker);
  if (pinned === undefined) {
    await createPrivateFile(pinFile(owner), `${jcs({ v: 1, url: url.data, description })}\n`);
    return { url: url.data, description };
  }
  if (jcs(pinned.description) !== jcs(description)) {
    throw new AppError('wrong_signer', `the broker at ${url.data} has other keys than the one that you pinned`, {
      hint: `If you made a new broker, remove ${pinFile(owner)} and seal your assets again.`
    });
  }
  return { url: url.data, description };
}
