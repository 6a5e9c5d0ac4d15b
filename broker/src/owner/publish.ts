import { readInLargePieces } from '@cloister/sealing';
import {
  BROKER_ROUTES,
  DESCRIPTOR,
  SERVER_ROUTES,
  callRoute,
  createProver,
  verifyObject,
  type ClientDeps,
  type Digest,
  type Policy,
  type RouteReply,
  type Transport,
  type Verified
} from '@cloister/protocol';
import { openOwner, type Owner } from './owner.js';
import { pinnedBroker } from './pin-broker.js';
import { sealedAsset } from './seal-asset.js';

/** How an owner's tools reach services: the network, and a clock for the proofs. */
export interface OwnerDeps {
  readonly ownerDir: string;
  readonly transport: Transport;
  readonly clock: { readonly now: () => Date };
}

/** A client that signs every request with the owner's key. */
export function ownerClient(owner: Owner, { transport, clock }: OwnerDeps, baseUrl: string): ClientDeps {
  return { transport, baseUrl, prove: createProver(owner.signer, clock) };
}

/**
 * Gives an asset's key to the pinned broker, then uploads the sealed file and the mock to the operator's server, then
 * lists it in the catalog: whatever the catalog names can be opened. May be repeated after a failure.
 */
export async function publishAsset(deps: OwnerDeps, asset: { readonly name: string; readonly version?: number; readonly server: string }): Promise<{ asset: Digest }> {
  const owner = await openOwner(deps.ownerDir);
  const record = await sealedAsset(deps.ownerDir, asset.name, asset.version);
  const descriptor = await verifyObject(DESCRIPTOR, record.descriptor, owner.signer.thumbprint);
  const { url } = await pinnedBroker(owner);
  await callRoute(ownerClient(owner, deps, url), BROKER_ROUTES.putDescriptor, { body: { descriptor: record.descriptor } });
  const server = ownerClient(owner, deps, asset.server);
  const { digest, size, mock } = descriptor.payload;
  await putFile(server, record.sealedFile, { digest, size });
  if (mock !== undefined && record.mockFile !== undefined) await putFile(server, record.mockFile, mock);
  await callRoute(server, SERVER_ROUTES.publishAsset, { body: { descriptor: record.descriptor } });
  return { asset: descriptor.digest };
}

async function putFile(server: ClientDeps, path: string, file: { readonly digest: Digest; readonly size: number }): Promise<void> {
  const { digest, size } = file;
  await callRoute(server, SERVER_ROUTES.putAssetFile, { params: { digest }, body: readInLargePieces(path), stream: { digest, size } });
}

/** Puts a signed policy in force at the pinned broker. From the reply on nothing is released by an older one. */
export async function publishPolicy(deps: OwnerDeps, policy: Verified<Policy>): Promise<{ policy: Digest; version: number }> {
  const owner = await openOwner(deps.ownerDir);
  const { url } = await pinnedBroker(owner);
  return callRoute(ownerClient(owner, deps, url), BROKER_ROUTES.putPolicy, { body: { policy: policy.jws } });
}

/** The policies in force at the pinned broker, with uses so far. */
export async function listPolicies(deps: OwnerDeps): Promise<RouteReply<typeof BROKER_ROUTES.listPolicies>['policies']> {
  const owner = await openOwner(deps.ownerDir);
  const { url } = await pinnedBroker(owner);
  return (await callRoute(ownerClient(owner, deps, url), BROKER_ROUTES.listPolicies, {})).policies;
}
