import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf } from '@cloister/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeBlobStore } from '../contract.js';
import { openFilesystemBlobStore } from './filesystem-blob-store.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cloister-blobs-'));
});
afterAll(async () => rm(directory, { recursive: true, force: true }));

describeBlobStore('file system blob store', async place => openFilesystemBlobStore({ root: join(directory, place), minFreeBytes: 0 }));

const bytes = Buffer.from('bytes');
const name = { kind: 'bundle', digest: digestOf(bytes) } as const;
const source = async function* (): AsyncGenerator<Uint8Array, undefined> {
  yield bytes;
};

test('removes what a crash left half written, and nothing else', async () => {
  const root = join(directory, 'crashed');
  const store = await openFilesystemBlobStore({ root, minFreeBytes: 0 });
  await store.put(name, source(), name.digest);
  const hex = name.digest.slice('sha256:'.length);
  const folder = join(root, 'bundles', hex.slice(0, 2));
  await writeFile(join(folder, `${hex}.partial-0123456789abcdef`), 'half');
  const again = await openFilesystemBlobStore({ root, minFreeBytes: 0 });
  expect(await readdir(folder)).toEqual([hex]);
  expect((await again.open(name))?.size).toBe(bytes.length);
});

test('lets only its owner read', async () => {
  const root = join(directory, 'modes');
  const store = await openFilesystemBlobStore({ root, minFreeBytes: 0 });
  await store.put(name, source(), name.digest);
  expect((await stat(root)).mode & 0o777).toBe(0o700);
  const hex = name.digest.slice('sha256:'.length);
  expect((await stat(join(root, 'bundles', hex.slice(0, 2), hex))).mode & 0o777).toBe(0o600);
});

test('refuses uploads before the disk is full, and says so', async () => {
  const store = await openFilesystemBlobStore({ root: join(directory, 'full'), minFreeBytes: Number.MAX_SAFE_INTEGER });
  await expect(store.put(name, source(), name.digest)).rejects.toMatchObject({ code: 'storage_full' });
  await expect(store.ping()).rejects.toMatchObject({ code: 'storage_full' });
});

test('stops an upload that fills the disk while it comes, long before its end, and keeps nothing of it', async () => {
  const root = join(directory, 'filling');
  const piece = Buffer.alloc(1024 * 1024);
  let sent = 0;
  async function* endless(): AsyncGenerator<Uint8Array, undefined> {
    for (; sent < 200; sent += 1) yield piece;
  }
  const store = await openFilesystemBlobStore({ root, minFreeBytes: 64 * piece.length, freeBytes: async () => (100 - sent) * piece.length });
  await expect(store.put(name, endless(), name.digest)).rejects.toMatchObject({ code: 'storage_full' });
  expect(sent).toBeLessThanOrEqual(36 + 16);
  expect((await readdir(root, { recursive: true, withFileTypes: true })).filter(entry => entry.isFile())).toEqual([]);
});
