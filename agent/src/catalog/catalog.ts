import {
  AppError,
  DESCRIPTOR,
  SERVER_ROUTES,
  callRoute,
  verifyObject,
  type CatalogEntry,
  type ClientDeps,
  type Descriptor,
  type Digest,
  type Trust
} from '@cloister/protocol';
import { readSeenAssets, writeSeenAssets, type SeenAsset } from './seen-assets.js';

/** An asset whose descriptor is signed by an owner that the analyst pinned. */
export interface CatalogAsset {
  /** As notebooks name it: the analyst's name of the owner, a slash, the owner's name of the asset. */
  readonly name: string;
  readonly owner: string;
  readonly asset: Digest;
  readonly descriptor: Descriptor;
}

/** An entry that is shown and never used. */
export interface UnverifiedEntry {
  readonly asset: string;
  readonly why: string;
}

export interface Catalog {
  readonly assets: readonly CatalogAsset[];
  readonly unverified: readonly UnverifiedEntry[];
  /** Names whose owner signed something newer than the catalog shows now. They are among the unverified too. */
  readonly rolledBack: readonly RolledBack[];
}

export interface RolledBack {
  readonly name: string;
  readonly asset: Digest;
  readonly why: string;
}

const MAX_PAGES = 1000;

/**
 * The operator's catalog, of which only what pinned owners signed is believed, and only as long as it does not go back
 * behind what it showed before: an old version is signed as well as a new one.
 * @param memory file that keeps the newest version of each asset seen
 */
export async function readCatalog(server: ClientDeps, trust: Trust, memory: string): Promise<Catalog> {
  const verified: CatalogAsset[] = [];
  const unverified: UnverifiedEntry[] = [];
  for (const entry of await readEntries(server)) {
    const result = await verifyEntry(entry, trust);
    if ('why' in result) unverified.push(result);
    else verified.push(result);
  }
  const { assets, contradictory } = newestOf(verified);
  const { current, rolledBack } = await holdToMemory(assets, memory);
  return {
    assets: current.sort((a, b) => (a.name < b.name ? -1 : 1)),
    unverified: [
      ...unverified,
      ...contradictory.map(({ asset, name }) => ({ asset, why: `two things are called ${name} in the same version` })),
      ...rolledBack.map(({ asset, why }) => ({ asset, why }))
    ],
    rolledBack
  };
}

/** Another process that writes the memory at the same moment can lose us one entry, which the next look at the catalog restores. */
async function holdToMemory(assets: readonly CatalogAsset[], memory: string): Promise<{ current: CatalogAsset[]; rolledBack: RolledBack[] }> {
  const seen = await readSeenAssets(memory);
  const current: CatalogAsset[] = [];
  const rolledBack: RolledBack[] = [];
  const fresh: SeenAsset[] = [];
  for (const asset of assets) {
    const { owner, name, version } = asset.descriptor;
    const before = seen.find(known => known.owner === owner && known.name === name);
    const why = before === undefined ? undefined : whyNot(asset, before);
    if (why !== undefined) rolledBack.push({ name: asset.name, asset: asset.asset, why });
    else current.push(asset);
    if (before === undefined || before.version < version) fresh.push({ owner, name, version, asset: asset.asset });
  }
  if (fresh.length > 0) {
    const isFresh = (known: SeenAsset): boolean => fresh.some(asset => asset.owner === known.owner && asset.name === known.name);
    await writeSeenAssets(memory, [...seen.filter(known => !isFresh(known)), ...fresh]);
  }
  return { current, rolledBack };
}

function whyNot({ name, asset, descriptor }: CatalogAsset, before: SeenAsset): string | undefined {
  if (descriptor.version < before.version) return `version ${descriptor.version} of ${name} is shown, where version ${before.version} was seen before`;
  if (descriptor.version === before.version && asset !== before.asset) return `another thing was called ${name} in the same version before`;
  return undefined;
}

/** @throws AppError asset_rollback | asset_unknown, with what was probably meant */
export function findAsset(catalog: Catalog, name: string): CatalogAsset {
  const found = catalog.assets.find(asset => asset.name === name);
  if (found !== undefined) return found;
  const hidden = catalog.rolledBack.find(asset => asset.name === name);
  if (hidden !== undefined) throw new AppError('asset_rollback', hidden.why);
  const near = catalog.assets.filter(asset => isNear(asset.name, name)).map(asset => asset.name);
  const known = catalog.assets.map(asset => asset.name).join(', ');
  throw new AppError('asset_unknown', `${name} is not published by anybody whom you trust`, {
    hint: near.length > 0 ? `Did you mean ${near.join(' or ')}?` : `Known are: ${known === '' ? 'none' : known}.`
  });
}

async function readEntries(server: ClientDeps): Promise<CatalogEntry[]> {
  const entries: CatalogEntry[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const reply = await callRoute(server, SERVER_ROUTES.listAssets, { query: cursor === undefined ? {} : { cursor } });
    entries.push(...reply.assets);
    cursor = reply.next;
    if (cursor === undefined) return entries;
  }
  throw new AppError('unavailable', 'the catalog does not end');
}

async function verifyEntry(entry: CatalogEntry, trust: Trust): Promise<CatalogAsset | UnverifiedEntry> {
  try {
    const { payload, digest } = await verifyObject(DESCRIPTOR, entry.descriptor, descriptor => descriptor.owner);
    const owner = trust.owners.find(pinned => pinned.thumbprint === payload.owner);
    if (owner === undefined) return { asset: entry.asset, why: `its owner ${payload.owner} is not in your trust file` };
    if (digest !== entry.asset || payload.owner !== entry.owner) return { asset: entry.asset, why: 'the catalog says something else than its owner signed' };
    return { name: `${owner.name}/${payload.name}`, owner: owner.name, asset: digest, descriptor: payload };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { asset: entry.asset, why: error.detail };
  }
}

/** The highest version under each name; an owner who signed two things as one version is not guessed about. */
function newestOf(assets: readonly CatalogAsset[]): { assets: CatalogAsset[]; contradictory: CatalogAsset[] } {
  const byName = new Map<string, CatalogAsset[]>();
  for (const asset of assets) byName.set(asset.name, [...(byName.get(asset.name) ?? []), asset]);
  const newest = [...byName.values()].map(versions => {
    const highest = Math.max(...versions.map(version => version.descriptor.version));
    return versions.filter((version, at) => version.descriptor.version === highest && versions.findIndex(other => other.asset === version.asset) === at);
  });
  return { assets: newest.filter(list => list.length === 1).flat(), contradictory: newest.filter(list => list.length > 1).flat() };
}

/** One slip of the keyboard, or the same asset of another owner. */
function isNear(known: string, asked: string): boolean {
  if (known.split('/')[1] === asked.split('/')[1]) return true;
  return known.length > 3 && Math.abs(known.length - asked.length) <= 2 && lettersApart(known, asked) <= 3;
}

function lettersApart(a: string, b: string): number {
  const rest = b.split('');
  for (const letter of a.split('')) {
    const at = rest.indexOf(letter);
    if (at >= 0) rest.splice(at, 1);
  }
  return rest.length + Math.max(0, a.length - b.length);
}
