import { AppError, type Descriptor, type Thumbprint } from '@cloister/protocol';
import type { Catalog, CatalogAsset } from '../catalog/catalog.js';

/** A broker that may keep the key of the code, as its owner's signed descriptor names it. */
export interface Custodian {
  readonly owner: string;
  readonly broker: Thumbprint;
  readonly url: string;
  readonly recipient: Descriptor['custodians'][0]['recipients']['bundle'];
}

/**
 * Who keeps the key of the code, where nothing is known of the policies yet: whom the analyst named, else the first
 * input's broker. Keys and addresses come from descriptors of pinned owners, never from a catalog's word.
 * @throws AppError no_custodian | asset_unknown
 */
export function chooseCustodians(inputs: readonly CatalogAsset[], catalog: Catalog, named: readonly string[]): Custodian[] {
  if (named.length > 0) return distinct(named.map(owner => custodianOf(anyAssetOf(catalog, owner))));
  const [first] = inputs;
  if (first === undefined) throw new AppError('no_custodian', 'the notebook reads no asset, and no custodian was named');
  return [custodianOf(first)];
}

/** By default the brokers that must approve the code keep its key, since they have to read it. */
export function approvingCustodians(inputs: readonly CatalogAsset[], approvers: ReadonlySet<string>): Custodian[] {
  return distinct(inputs.map(custodianOf).filter(custodian => approvers.has(custodian.broker)));
}

export function custodianOf(asset: CatalogAsset): Custodian {
  const [custodian] = asset.descriptor.custodians;
  return { owner: asset.owner, broker: custodian.broker, url: custodian.url, recipient: custodian.recipients.bundle };
}

function anyAssetOf(catalog: Catalog, owner: string): CatalogAsset {
  const found = catalog.assets.find(asset => asset.owner === owner);
  if (found === undefined) throw new AppError('no_custodian', `${owner} publishes nothing, so its broker is not known`);
  return found;
}

function distinct(custodians: readonly Custodian[]): Custodian[] {
  return custodians.filter((custodian, at) => custodians.findIndex(other => other.broker === custodian.broker) === at);
}
