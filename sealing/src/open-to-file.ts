import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, lstat, open, unlink, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { AppError } from '@cloister/protocol';
import { openStream, type Expected, type OpeningKey } from './open-stream.js';

/** Large reads: decrypting from 1 MiB pieces is about twice as fast as from Node's default of 64 KiB. */
const READ_BYTES = 1024 * 1024;

/** A file as a stream of large pieces. */
export function readInLargePieces(path: string): AsyncIterable<Uint8Array> {
  return createReadStream(path, { highWaterMark: READ_BYTES });
}

/**
 * Opens a sealed file into `destination`, which appears whole, verified and on disk, or not at all. Mode 0600.
 * Nothing is written over. What a crash leaves is named `<destination>.partial-<random>`.
 * @throws AppError file_exists | storage_full | header_mismatch | sealed_for_another | sealed_corrupt | digest_mismatch
 */
export async function openToFile(
  source: AsyncIterable<Uint8Array>,
  key: OpeningKey,
  expected: Expected,
  destination: string
): Promise<{ readonly plaintextSize: number }> {
  try {
    return await createFile(destination, async handle => {
      const { plaintext } = await openStream(source, key, expected);
      return { plaintextSize: await writeAll(handle, plaintext) };
    });
  } catch (error) {
    // Where the file could not be made nobody has begun to read, and only destroy frees a socket or descriptor.
    if (source instanceof Readable) source.destroy();
    throw error;
  }
}

/**
 * A new file that appears under its name only when `fill` ended without an error and the bytes are on disk.
 * @throws AppError file_exists | storage_full, and whatever `fill` throws
 */
export async function createFile<T>(destination: string, fill: (handle: FileHandle) => Promise<T>): Promise<T> {
  if (await exists(destination)) throw new AppError('file_exists', 'the destination exists');
  const partial = `${destination}.partial-${randomBytes(8).toString('hex')}`;
  const handle = await storing(open(partial, 'wx', 0o600));
  try {
    const result = await fill(handle);
    await storing(handle.sync());
    // link, not rename: rename would write over a file that came into being meanwhile.
    await storing(link(partial, destination));
    await syncDirectory(dirname(destination));
    return result;
  } finally {
    await handle.close();
    await unlink(partial);
  }
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}

/**
 * Writes every piece whole. One write is under way while the next piece is made (decrypted, fetched).
 * @throws AppError storage_full
 */
export async function writeAll(handle: FileHandle, source: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0;
  let writing = Promise.resolve();
  try {
    for await (const piece of source) {
      await writing;
      writing = writePiece(handle, piece);
      // Its error is thrown by the next await; until then it must not count as unhandled.
      writing.catch(() => undefined);
      size += piece.length;
    }
    await writing;
  } catch (error) {
    // The handle is closed after this, so no write may be under way.
    await writing.catch(() => undefined);
    throw error;
  }
  return size;
}

async function writePiece(handle: FileHandle, piece: Uint8Array): Promise<void> {
  for (let at = 0; at < piece.length; ) at += (await storing(handle.write(piece, at))).bytesWritten;
}

/** Makes names in a directory durable: a synced file whose name is lost is lost. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function storing<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOSPC' || code === 'EDQUOT') throw new AppError('storage_full', 'no space left to write to', { cause });
    if (code === 'EEXIST') throw new AppError('file_exists', 'the destination exists', { cause });
    throw cause;
  }
}
