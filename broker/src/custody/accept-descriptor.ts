import { AppError, DESCRIPTOR, fromBase64Url, openHeader, verifyObject, type Descriptor, type Digest } from '@cloister/protocol';
import { appendEntry } from '../ledger/ledger.js';
import type { BrokerContext } from '../release/context.js';
import { descriptorOf, descriptorVersion, insertDescriptor } from '../store/assets.js';

/**
 * Takes an asset into custody: its owner's signed descriptor, which names this broker and whose header opens here. The
 * same descriptor again changes nothing.
 * @throws AppError wrong_signer | invalid_object | sealed_for_another | sealed_corrupt | already_exists
 */
export async function acceptDescriptor(context: BrokerContext, jws: string): Promise<Digest> {
  const descriptor = await verifyObject(DESCRIPTOR, jws, context.owner);
  await requireOurs(context, descriptor.payload);
  const { name, version } = descriptor.payload;
  await context.store.transaction().execute(async trx => {
    if ((await descriptorOf(trx, context.owner, descriptor.digest)) !== undefined) return;
    if ((await descriptorVersion(trx, name, version)) !== undefined) {
      throw new AppError('already_exists', `another descriptor is version ${version} of ${name}`, { hint: 'Seal it as a higher version.' });
    }
    await insertDescriptor(trx, descriptor);
    await appendEntry(trx, { kind: 'descriptor', asset: descriptor.digest, name }, context.now());
  });
  await context.heads.settle();
  return descriptor.digest;
}

async function requireOurs({ owner, keys }: BrokerContext, descriptor: Descriptor): Promise<void> {
  const [custodian] = descriptor.custodians;
  if (descriptor.owner !== owner) throw new AppError('wrong_signer', 'the descriptor names another owner than the one who signed it');
  if (custodian.broker !== keys.signer.thumbprint) throw new AppError('invalid_object', 'the descriptor names another broker');
  if (custodian.recipients.bundle !== keys.bundle.recipient || custodian.recipients.review !== keys.review.recipient) {
    throw new AppError('invalid_object', 'the descriptor names recipients that are not this broker’s');
  }
  await openHeader(fromBase64Url(custodian.wrapped), keys.dataset.identity);
}
