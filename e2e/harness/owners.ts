import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createOwner, pinBroker, publishAsset, publishPolicy, readLedger, sealAsset, signPolicy, stopPolicy, type Owner, type OwnerDeps } from '@cloister/broker/owner';
import { systemClock } from '@cloister/kit';
import type { Digest, LedgerEntry, Rule, Transport } from '@cloister/protocol';

export const SERVER_URL = 'http://server.cloister.localhost';
export const urlOf = (owner: string): string => `http://${owner}.cloister.localhost`;

/** A table in the clear, and its public stand-in. */
export interface Table {
  readonly name: string;
  readonly real: string;
  readonly mock: string;
}

export type LedgerRelease = Extract<LedgerEntry, { kind: 'release' }>;

/** A data owner on a machine of her own: her offline key, and the tools that work with it. */
export interface WorldOwner {
  readonly name: string;
  readonly owner: Owner;
  readonly url: string;
  readonly deps: OwnerDeps;
  /** Seals a table and publishes it, mock and all. */
  readonly publish: (table: Table) => Promise<Digest>;
  readonly allow: (asset: string, rules: readonly Rule[]) => Promise<void>;
  readonly stop: (asset: string) => Promise<void>;
  readonly ledger: () => Promise<readonly LedgerEntry[]>;
  /** What the ledger says was released for a job, in order. */
  readonly releases: (job: Digest) => Promise<LedgerRelease[]>;
}

export interface OwnerPlace {
  readonly home: string;
  readonly name: string;
  readonly data: string;
}

export const ownerDirOf = ({ home, name }: Pick<OwnerPlace, 'home' | 'name'>): string => join(home, 'owners', name);

export async function makeOwner(place: OwnerPlace): Promise<Owner> {
  await mkdir(join(place.home, 'owners'), { recursive: true, mode: 0o700 });
  return createOwner(ownerDirOf(place));
}

/** The owner's tools, once her broker answers. */
export function withBroker(owner: Owner, place: OwnerPlace, transport: Transport): WorldOwner {
  const { name, data } = place;
  const ownerDir = ownerDirOf(place);
  const url = urlOf(name);
  const deps: OwnerDeps = { ownerDir, transport, clock: systemClock };
  const ledger = async (): Promise<readonly LedgerEntry[]> => readLedger(deps);
  return {
    name, owner, url, deps, ledger,
    publish: async table => {
      const [file, mock] = [join(data, 'raw', name, `${table.name}.csv`), join(data, 'mocks', name, `${table.name}.csv`)];
      await put(file, table.real);
      await put(mock, table.mock);
      const { description } = await pinBroker(owner, { url, transport });
      await sealAsset({ ownerDir, file, name: table.name, kind: 'dataset', mediaType: 'text/csv', broker: description, url, mock, out: join(data, 'sealed', name) });
      return (await publishAsset(deps, { name: table.name, server: SERVER_URL })).asset;
    },
    allow: async (asset, rules) => {
      await publishPolicy(deps, await signPolicy({ ownerDir, policyInput: { asset, allow: rules } }));
    },
    stop: async asset => {
      await publishPolicy(deps, await stopPolicy({ ownerDir, name: asset }));
    },
    releases: async job => (await ledger()).filter(entry => entry.kind === 'release').filter(entry => entry.job === job)
  };
}

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
