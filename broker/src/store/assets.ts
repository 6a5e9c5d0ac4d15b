import {
  DESCRIPTOR,
  POLICY,
  verifyObject,
  type Descriptor,
  type Digest,
  type Policy,
  type Thumbprint,
  type Verified
} from '@cloister/protocol';
import type { Store } from './tables.js';

/** A descriptor of this broker's own store, its signature verified again. */
export async function descriptorOf(store: Store, owner: Thumbprint, asset: Digest): Promise<Verified<Descriptor> | undefined> {
  const row = await store.selectFrom('descriptors').select('jws').where('asset', '=', asset).executeTakeFirst();
  return row === undefined ? undefined : verifyObject(DESCRIPTOR, row.jws, owner);
}

export async function descriptorVersion(store: Store, name: string, version: number): Promise<string | undefined> {
  const row = await store
    .selectFrom('descriptors')
    .select('asset')
    .where('name', '=', name)
    .where('version', '=', version)
    .executeTakeFirst();
  return row?.asset;
}

export async function knowsAssetName(store: Store, name: string): Promise<boolean> {
  const row = await store.selectFrom('descriptors').select('asset').where('name', '=', name).limit(1).executeTakeFirst();
  return row !== undefined;
}

export async function insertDescriptor(store: Store, descriptor: Verified<Descriptor>): Promise<void> {
  const { name, version } = descriptor.payload;
  await store.insertInto('descriptors').values({ asset: descriptor.digest, name, version, jws: descriptor.jws }).execute();
}

/** The policy in force for an asset name, its signature verified again. */
export async function policyOf(store: Store, owner: Thumbprint, name: string): Promise<Verified<Policy> | undefined> {
  const row = await store
    .selectFrom('policies')
    .select('jws')
    .where('name', '=', name)
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? undefined : verifyObject(POLICY, row.jws, owner);
}

/** All policies in force, by name. */
export async function policiesInForce(store: Store, owner: Thumbprint): Promise<Verified<Policy>[]> {
  const names = await store.selectFrom('policies').select('name').distinct().orderBy('name').execute();
  const policies = [];
  for (const { name } of names) policies.push(await policyOf(store, owner, name));
  return policies.filter(policy => policy !== undefined);
}

export async function insertPolicy(store: Store, policy: Verified<Policy>): Promise<void> {
  const { asset, version } = policy.payload;
  await store.insertInto('policies').values({ name: asset.name, version, policy: policy.digest, jws: policy.jws }).execute();
}
