import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir, rm, statfs, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError, type Digest } from '@cloister/protocol';
import { createFile, createTally, readInLargePieces, writeAll } from '@cloister/sealing';
import type { BlobName, BlobStore, StoredBlob } from '../port.js';
import { pathOf, placeOf } from './paths.js';

export interface FilesystemBlobStoreOptions {
  readonly root: string;
  /** Uploads are refused while less is free, so that the database on the same disk can still write. */
  readonly minFreeBytes: number;
  /** What is free for us where a path lies. Default: what the file system says. */
  readonly freeBytes?: (path: string) => Promise<number>;
}

const READ_BYTES = 1024 * 1024;
/** An upload may be larger than what was free when it began, and others write beside it. */
const SPACE_CHECK_BYTES = 16 * 1024 * 1024;
const PARTIAL = /\.partial-[0-9a-f]{16}$/;

/** Blobs as files of mode 0600. What a crash left half written is removed here, before anybody writes. */
export async function openFilesystemBlobStore(options: FilesystemBlobStoreOptions): Promise<BlobStore> {
  await mkdir(options.root, { recursive: true, mode: 0o700 });
  await removePartials(options.root);
  const at = (name: BlobName): string => join(options.root, pathOf(name));
  return {
    put: async (name, bytes, expected) => {
      await requireSpace(options);
      const roomy = checkedAlongTheWay(bytes, async () => requireSpace(options));
      const wanted = { path: at(name), expected, contentAddressed: name.kind === 'bundle' || name.kind === 'asset' };
      return put(wanted, roomy);
    },
    open: async name => openBlob(at(name)),
    delete: async garbage => rm(join(options.root, placeOf(garbage)), { recursive: true, force: true }),
    ping: async () => requireSpace(options)
  };
}

interface Wanted {
  readonly path: string;
  readonly expected: Digest;
  readonly contentAddressed: boolean;
}

async function put(wanted: Wanted, bytes: AsyncIterable<Uint8Array>): Promise<{ created: boolean; size: number }> {
  const upload = measured(bytes);
  await mkdir(dirname(wanted.path), { recursive: true, mode: 0o700 });
  try {
    const size = await createFile(wanted.path, async handle => {
      const written = await writeAll(handle, upload.bytes);
      requireDigest(upload.digest(), wanted.expected);
      return written;
    });
    return { created: true, size };
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'file_exists') throw error;
  }
  // The name is taken, which is fine for the very same bytes. They are read to their end, so that a wrong promise is
  // noticed and the sender's connection stays whole.
  while ((await upload.bytes.next()).done !== true);
  requireDigest(upload.digest(), wanted.expected);
  const stored = wanted.contentAddressed ? wanted.expected : await digestOfFile(wanted.path);
  if (stored !== wanted.expected) throw new AppError('already_exists', 'other bytes are stored under this name');
  return { created: false, size: (await lstat(wanted.path)).size };
}

interface MeasuredBytes {
  readonly bytes: AsyncGenerator<Uint8Array, undefined>;
  /** Of what was read so far; ends the measurement. */
  readonly digest: () => Digest;
}

function measured(source: AsyncIterable<Uint8Array>): MeasuredBytes {
  const tally = createTally();
  let digest: Digest | undefined;
  async function* pass(): AsyncGenerator<Uint8Array, undefined> {
    for await (const piece of source) {
      tally.add(piece);
      yield piece;
    }
  }
  return { bytes: pass(), digest: () => (digest ??= tally.digest()) };
}

function requireDigest(actual: Digest, expected: Digest): void {
  if (actual !== expected) throw new AppError('digest_mismatch', 'the bytes are not the ones that were announced');
}

async function digestOfFile(path: string): Promise<Digest> {
  const tally = createTally();
  for await (const piece of readInLargePieces(path)) tally.add(piece);
  return tally.digest();
}

/** Nothing is open until somebody reads: a client that left before must not cost a descriptor. */
async function openBlob(path: string): Promise<StoredBlob | undefined> {
  const found = await unlessMissing(lstat(path), undefined);
  if (found?.isFile() !== true) return undefined;
  return { size: found.size, bytes: readExactly(path, found.size) };
}

async function* readExactly(path: string, size: number): AsyncGenerator<Uint8Array, undefined> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  const tally = createTally();
  // The stream closes the handle, also when its reader leaves.
  for await (const piece of handle.createReadStream({ highWaterMark: READ_BYTES })) {
    if (!(piece instanceof Uint8Array)) throw new AppError('internal', 'a blob was read as text');
    tally.add(piece);
    yield piece;
  }
  if (tally.size() !== size) throw new AppError('internal', 'a blob changed its size while it was read');
}

async function* checkedAlongTheWay(bytes: AsyncIterable<Uint8Array>, check: () => Promise<void>): AsyncGenerator<Uint8Array, undefined> {
  let unchecked = 0;
  for await (const piece of bytes) {
    unchecked += piece.length;
    if (unchecked >= SPACE_CHECK_BYTES) {
      unchecked = 0;
      await check();
    }
    yield piece;
  }
}

async function freeOnDisk(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

async function requireSpace({ root, minFreeBytes, freeBytes = freeOnDisk }: FilesystemBlobStoreOptions): Promise<void> {
  if ((await freeBytes(root)) < minFreeBytes) throw new AppError('storage_full', 'less space is free than the server keeps back');
}

async function removePartials(root: string): Promise<void> {
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && PARTIAL.test(entry.name)) await unlink(join(entry.parentPath, entry.name));
  }
}

async function unlessMissing<T>(work: Promise<T>, missing: T): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return missing;
    throw error;
  }
}
