import { AppError, DESCRIPTOR, verifyObject, type CatalogEntry, type Descriptor, type Digest, type Thumbprint } from '@cloister/protocol';
import type { Clock } from '@cloister/kit';
import type { BlobStore, StoredBlob } from '../blobs/port.js';
import { isAllowedBroker, type BrokerHosts } from '../jobs/broker-hosts.js';
import type { GarbageCollector } from '../jobs/garbage-collector.js';
import type { PageCursors } from '../jobs/page-cursors.js';
import type { FileRecord, NewAsset, ServerStore } from '../store/port.js';

export interface CatalogServiceDeps {
  readonly store: ServerStore;
  readonly blobs: BlobStore;
  readonly garbage: GarbageCollector;
  readonly cursors: PageCursors;
  readonly clock: Pick<Clock, 'now'>;
  readonly brokerHosts: BrokerHosts;
  /** What an analyst may store without submitting a job that uses it. */
  readonly maxUnusedBundleBytes: number;
}

export interface FileUpload {
  readonly kind: FileRecord['kind'];
  readonly digest: Digest;
  readonly by: Thumbprint;
  readonly bytes: AsyncIterable<Uint8Array>;
  /** What the request's proof says the bytes are. */
  readonly promised: Digest;
}

/** Sealed files, and the owners' signed words about assets. */
export interface CatalogService {
  readonly publish: (owner: Thumbprint, descriptor: string) => Promise<CatalogEntry>;
  readonly list: (owner: Thumbprint | undefined, cursor: string | undefined) => Promise<{ assets: CatalogEntry[]; next?: string }>;
  readonly putFile: (upload: FileUpload) => Promise<void>;
  readonly openFile: (kind: FileRecord['kind'], digest: Digest) => Promise<StoredBlob>;
}

const PAGE = 100;

export function createCatalogService(deps: CatalogServiceDeps): CatalogService {
  const { store, blobs, clock } = deps;
  return {
    publish: async (owner, jws) => {
      const { payload, digest, jws: descriptor } = await verifyObject(DESCRIPTOR, jws, owner);
      if (payload.owner !== owner) throw new AppError('wrong_signer', 'the descriptor names another owner');
      requireBroker(payload, deps.brokerHosts);
      await requireFiles(store, payload);
      const entry = { asset: digest, owner, descriptor };
      const added = await store.catalog.add({ ...entry, name: payload.name, version: payload.version }, clock.now());
      if (added === 'other') throw new AppError('already_exists', `version ${payload.version} of ${payload.name} is listed already, with another descriptor`);
      return entry;
    },
    list: async (owner, cursor) => listAssets(deps, owner, cursor),
    putFile: async upload => putFile(deps, upload),
    openFile: async (kind, digest) => {
      // A row says that the file is whole and somebody's; a blob without one may be on its way out.
      const known = await store.files.find(kind, digest);
      const blob = known === undefined ? undefined : await blobs.open({ kind, digest });
      if (blob === undefined) throw new AppError('not_found', `no such ${kind}`);
      return blob;
    }
  };
}

/** This server asks the broker before each job, so an address that it does not call is told now. */
function requireBroker({ custodians: [custodian] }: Descriptor, hosts: BrokerHosts): void {
  if (isAllowedBroker(custodian.url, hosts)) return;
  throw new AppError('not_permitted', `this server calls no broker at ${custodian.url}`, { hint: 'Give the broker a public name and https, or ask the operator to list its host.' });
}

async function requireFiles(store: ServerStore, descriptor: Descriptor): Promise<void> {
  const files = [{ what: 'sealed file', digest: descriptor.digest, size: descriptor.size }, ...(descriptor.mock === undefined ? [] : [{ what: 'mock', digest: descriptor.mock.digest, size: descriptor.mock.size }])];
  for (const { what, digest, size } of files) {
    const found = await store.files.find('asset', digest);
    if (found === undefined) throw new AppError('not_found', `the ${what} is not stored here`, { hint: 'Store the files first, then publish the descriptor.' });
    if (found.size !== size) throw new AppError('digest_mismatch', `the ${what} has ${found.size} bytes, and the descriptor says ${size}`);
  }
}

async function putFile({ store, blobs, garbage, maxUnusedBundleBytes }: CatalogServiceDeps, { kind, digest, by, bytes, promised }: FileUpload): Promise<void> {
  if (promised !== digest) throw new AppError('digest_mismatch', 'the proof names other bytes than the address');
  if (kind === 'bundle' && (await store.files.unusedBundleBytes(by)) > maxUnusedBundleBytes) {
    throw new AppError('storage_full', 'you stored too many bundles that no job uses', { hint: 'They are removed after a day.' });
  }
  const { size } = await blobs.put({ kind, digest }, bytes, digest);
  if (!(await garbage.claim({ kind, digest, size, by }))) throw new AppError('unavailable', 'the file was just being deleted');
}

async function listAssets({ store, cursors }: CatalogServiceDeps, owner: Thumbprint | undefined, cursor: string | undefined): Promise<{ assets: CatalogEntry[]; next?: string }> {
  const scope = `assets ${owner ?? 'all'}`;
  const after = cursor === undefined ? undefined : cursors.readAsset(scope, cursor);
  const found = await store.catalog.list({ limit: PAGE + 1, ...(owner === undefined ? {} : { owner }), ...(after === undefined ? {} : { after }) });
  const page = found.slice(0, PAGE);
  const last = page.at(-1);
  const assets = page.map(entryOf);
  if (found.length <= PAGE || last === undefined) return { assets };
  return { assets, next: cursors.write(scope, { owner: last.owner, name: last.name }) };
}

function entryOf({ asset, owner, descriptor }: NewAsset): CatalogEntry {
  return { asset, owner, descriptor };
}
