import {
  AppError,
  MAX_HEADER_BYTES,
  equalBytes,
  headerLength,
  openHeader,
  verifyHeaderKey,
  type Digest
} from '@cloister/protocol';
import { createByteReader, type ByteReader } from './byte-reader.js';
import { decryptPayload } from './payload.js';
import { createTally, type Tally } from './tally.js';

/** What opens a file: an identity `AGE-SECRET-KEY-1…`, or the file key that a broker released. */
export type OpeningKey = { readonly identity: string } | { readonly fileKey: Uint8Array };

/** What somebody trusted says about the sealed file. An empty object is a choice: then only age itself is checked. */
export interface Expected {
  /** Of the whole sealed file. */
  readonly digest?: Digest;
  /** Byte for byte, the header that a descriptor signs. */
  readonly header?: Uint8Array;
  /** Bytes of the whole sealed file. */
  readonly size?: number;
}

export interface OpeningStream {
  readonly header: Uint8Array;
  /**
   * Plaintext, each piece authenticated under the file key. It is *ready* only when the stream ended without an error:
   * the last chunk, the size and the digest are verified at the end.
   */
  readonly plaintext: AsyncIterable<Uint8Array>;
}

/**
 * Opens a sealed file as a stream. The header is compared and its MAC verified under the file key before any chunk
 * is opened, because a payload can be made to open under two keys. Where this rejects, the source is closed.
 * @throws AppError header_mismatch | sealed_for_another | sealed_corrupt | digest_mismatch
 */
export async function openStream(
  source: AsyncIterable<Uint8Array>,
  key: OpeningKey,
  expected: Expected
): Promise<OpeningStream> {
  const tally = createTally();
  const reader = createByteReader(tallied(source, tally, expected.size));
  try {
    const header = await readHeader(reader);
    if (expected.header !== undefined && !equalBytes(header, expected.header)) {
      throw new AppError('header_mismatch', 'the sealed file has another header than its descriptor signs');
    }
    const fileKey = await fileKeyOf(header, key);
    return { header, plaintext: opening(reader, fileKey, tally, expected) };
  } catch (error) {
    await reader.close();
    throw error;
  }
}

async function* opening(
  reader: ByteReader,
  fileKey: Uint8Array,
  tally: Tally,
  expected: Expected
): AsyncGenerator<Uint8Array, undefined> {
  try {
    yield* decryptPayload(reader.rest(), fileKey);
    // The end of the stream is the only sign of success, and it comes after these.
    if (expected.size !== undefined && tally.size() !== expected.size) throw wrongSize();
    if (expected.digest !== undefined && tally.digest() !== expected.digest) {
      throw new AppError('digest_mismatch', 'the sealed file has another digest');
    }
  } finally {
    await reader.close();
  }
}

async function readHeader(reader: ByteReader): Promise<Uint8Array> {
  let start: Uint8Array = new Uint8Array();
  for (;;) {
    const length = headerLength(start);
    if (length !== undefined) {
      reader.unread(start.subarray(length));
      return start.slice(0, length);
    }
    const more = await reader.next();
    if (more === undefined) throw new AppError('sealed_corrupt', 'the age header is cut short');
    start = start.length === 0 ? more : Buffer.concat([start.subarray(0, MAX_HEADER_BYTES), more]);
  }
}

async function fileKeyOf(header: Uint8Array, key: OpeningKey): Promise<Uint8Array> {
  if ('identity' in key) return openHeader(header, key.identity);
  await verifyHeaderKey(header, key.fileKey);
  return key.fileKey;
}

/** Counts the sealed bytes, and ends a stream that is longer than it may be before the disk is full of it. */
async function* tallied(
  source: AsyncIterable<Uint8Array>,
  tally: Tally,
  size: number | undefined
): AsyncGenerator<Uint8Array, undefined> {
  for await (const bytes of source) {
    tally.add(bytes);
    if (size !== undefined && tally.size() > size) throw wrongSize();
    yield bytes;
  }
}

function wrongSize(): AppError {
  return new AppError('digest_mismatch', 'the sealed file has another size');
}
