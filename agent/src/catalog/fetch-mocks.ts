import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createFile, createTally, writeAll } from '@cloister/sealing';
import { replacePrivateFile } from '@cloister/kit';
import { AppError, SERVER_ROUTES, collect, digestOf, openRoute, type ClientDeps } from '@cloister/protocol';
import { ownFolder } from '../own-folder.js';
import type { CatalogAsset } from './catalog.js';

export type MockState =
  /** Written now. */
  | 'fetched'
  /** There already, byte for byte. */
  | 'current'
  /** Another file is there; it was left alone. */
  | 'differs'
  /** The owner offers none. */
  | 'none';

export interface MockResult {
  readonly name: string;
  readonly state: MockState;
  readonly path?: string;
}

const MAX_MOCK_BYTES = 256 * 1024 * 1024;
const EXTENSIONS: Readonly<Record<string, string>> = {
  'text/csv': 'csv',
  'application/json': 'json',
  'text/plain': 'txt',
  'application/vnd.apache.parquet': 'parquet'
};

/**
 * Fetches an asset's mock to `mocks/<owner>/<asset>.<extension>` and holds it to the digest that its owner signed.
 * @throws AppError digest_mismatch | workspace_unsafe | storage_full
 */
export async function fetchMock(server: ClientDeps, asset: CatalogAsset, options: { readonly folder: string; readonly replace: boolean }): Promise<MockResult> {
  const { mock } = asset.descriptor;
  if (mock === undefined) return { name: asset.name, state: 'none' };
  const extension = EXTENSIONS[mock.mediaType] ?? 'bin';
  const folder = await ownFolder(options.folder, ['mocks', asset.owner]);
  const path = join(folder, `${asset.descriptor.name}.${extension}`);
  const present = await contentOf(path);
  if (present !== undefined && digestOf(present) === mock.digest) return { name: asset.name, state: 'current', path };
  if (present !== undefined && !options.replace) return { name: asset.name, state: 'differs', path };
  if (mock.size > MAX_MOCK_BYTES) throw new AppError('payload_too_large', `the mock of ${asset.name} is over ${MAX_MOCK_BYTES / 1024 / 1024} MiB`);
  const reply = await openRoute(server, SERVER_ROUTES.getAssetFile, { params: { digest: mock.digest } });
  if (present === undefined) {
    await createFile(path, async handle => {
      const tally = createTally();
      await writeAll(handle, counted(reply.body, tally.add, mock.size));
      requireDigest(tally.digest(), mock.digest, asset.name);
    });
  } else {
    const bytes = await collect(reply.body, mock.size);
    requireDigest(digestOf(bytes), mock.digest, asset.name);
    await replacePrivateFile(path, bytes);
  }
  return { name: asset.name, state: 'fetched', path };
}

function requireDigest(actual: string, expected: string, name: string): void {
  if (actual !== expected) throw new AppError('digest_mismatch', `the mock of ${name} is not the one that its owner signed`);
}

async function* counted(source: AsyncIterable<Uint8Array>, add: (bytes: Uint8Array) => void, limit: number): AsyncGenerator<Uint8Array, undefined> {
  let size = 0;
  for await (const bytes of source) {
    size += bytes.length;
    if (size > limit) throw new AppError('digest_mismatch', 'the mock is longer than its owner signed');
    add(bytes);
    yield bytes;
  }
}

async function contentOf(path: string): Promise<Buffer | undefined> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  if (!found.isFile()) throw new AppError('workspace_unsafe', `${path} is not a plain file`);
  return readFile(path);
}
