import { AppError, POLICY, verifyObject, type Policy, type Verified } from '@cloister/protocol';
import { appendEntry } from '../ledger/ledger.js';
import { endRollback, rolledBackTo } from '../ledger/rollback.js';
import type { BrokerContext } from '../release/context.js';
import { insertPolicy, knowsAssetName, policyOf } from '../store/assets.js';
import type { Store } from '../store/tables.js';
import { restartCounts } from '../store/uses.js';

/**
 * Puts an owner's policy in force. Versions only grow, so that nobody can put an older word of the owner back. The
 * policy in force, again, changes nothing.
 * @throws AppError wrong_signer | asset_not_here | policy_rollback
 */
export async function acceptPolicy(context: BrokerContext, jws: string): Promise<Verified<Policy>> {
  const policy = await verifyObject(POLICY, jws, context.owner);
  if (policy.payload.asset.owner !== context.owner) throw new AppError('wrong_signer', 'the policy is about an asset of another owner');
  await context.store.transaction().execute(async trx => putInForce(trx, context, policy));
  await context.heads.settle();
  return policy;
}

async function putInForce(store: Store, context: BrokerContext, policy: Verified<Policy>): Promise<void> {
  const { version, asset } = policy.payload;
  const { name } = asset;
  if (!(await knowsAssetName(store, name))) throw new AppError('asset_not_here', `this broker keeps no asset called ${name}`);
  const current = await policyOf(store, context.owner, name);
  const lost = await rolledBackTo(store, name);
  if (lost === undefined && current?.digest === policy.digest) return;
  const floor = Math.max(current?.payload.version ?? 0, lost ?? 0);
  if (version <= floor) throw new AppError('policy_rollback', `version ${floor} of this policy was in force, and this is version ${version}`);
  await insertPolicy(store, policy);
  const now = context.now();
  await appendEntry(store, { kind: 'policy', asset: name, policy: policy.digest, version }, now);
  if (lost === undefined) return;
  await restartCounts(store, name);
  await endRollback(store, name);
  const words = `restored from a backup: releases after it are unknown; counts of all rules restart under version ${version}`;
  await appendEntry(store, { kind: 'recovery', asset: name, policy: policy.digest, lost: words }, now);
}
