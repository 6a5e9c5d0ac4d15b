import { createCipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  AppError,
  createHeader,
  digestOf,
  generateIdentity,
  openHeader,
  recipientOf,
  type ErrorCode
} from '@cloister/protocol';
import { encryptPayload, openStream, sealStream } from './index.js';
import { CHUNK_BYTES, PAYLOAD_NONCE_BYTES, SEALED_CHUNK_BYTES } from './stream-cipher.js';
import { collectBytes, inPieces } from './testing/pieces.js';

/** A sealed file of four chunks, the last one short, taken apart. */
interface Parts {
  header: Buffer;
  nonce: Buffer;
  chunks: Buffer[];
}

const plaintext = randomBytes(3 * CHUNK_BYTES + 100);
let identity = '';
let file: Buffer = Buffer.alloc(0);
let other: Parts;

beforeAll(async () => {
  identity = await generateIdentity();
  file = await sealed(plaintext);
  other = apart(await sealed(plaintext));
});

async function sealed(bytes: Uint8Array): Promise<Buffer> {
  const { stream } = await sealStream(inPieces(bytes, 50_000), [await recipientOf(identity)]);
  return collectBytes(stream);
}

function apart(bytes: Buffer): Parts {
  const end = bytes.indexOf('\n', bytes.indexOf('\n--- ') + 1) + 1;
  const body = bytes.subarray(end + PAYLOAD_NONCE_BYTES);
  const chunks: Buffer[] = [];
  for (let at = 0; at < body.length; at += SEALED_CHUNK_BYTES) chunks.push(Buffer.from(body.subarray(at, at + SEALED_CHUNK_BYTES)));
  return { header: Buffer.from(bytes.subarray(0, end)), nonce: Buffer.from(bytes.subarray(end, end + PAYLOAD_NONCE_BYTES)), chunks };
}

function joined({ header, nonce, chunks }: Parts): Buffer {
  return Buffer.concat([header, nonce, ...chunks]);
}

function flipped(bytes: Uint8Array | undefined, at: number): Buffer {
  const copy = Buffer.from(bytes ?? []);
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
  return copy;
}

function pick(parts: Parts, ...order: number[]): Parts {
  return { ...parts, chunks: order.map(index => parts.chunks[index] ?? Buffer.alloc(0)) };
}

/** How much plaintext came out, and the code of the error that ended it. */
async function opened(bytes: Buffer, piece: number): Promise<{ got: Buffer; code: ErrorCode | 'none' }> {
  const parts: Uint8Array[] = [];
  try {
    const { plaintext: stream } = await openStream(inPieces(bytes, piece), { identity }, {});
    for await (const part of stream) parts.push(part);
    return { got: Buffer.concat(parts), code: 'none' };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { got: Buffer.concat(parts), code: error.code };
  }
}

const TAMPERED: readonly { name: string; change: (parts: Parts) => Buffer; chunksLeft: number }[] = [
  { name: 'a byte flipped in the first chunk', change: p => joined({ ...p, chunks: [flipped(p.chunks[0], 5), ...p.chunks.slice(1)] }), chunksLeft: 0 },
  { name: 'a byte flipped in the third chunk', change: p => joined({ ...p, chunks: [...p.chunks.slice(0, 2), flipped(p.chunks[2], 0), ...p.chunks.slice(3)] }), chunksLeft: 2 },
  { name: 'a byte flipped in a tag', change: p => joined({ ...p, chunks: [...p.chunks.slice(0, 3), flipped(p.chunks[3], 115)] }), chunksLeft: 3 },
  { name: 'a byte flipped in the payload nonce', change: p => joined({ ...p, nonce: flipped(p.nonce, 3) }), chunksLeft: 0 },
  { name: 'a byte inserted', change: p => joined({ ...p, chunks: [Buffer.concat([Buffer.from([0]), ...p.chunks])] }), chunksLeft: 0 },
  { name: 'a byte deleted', change: p => joined({ ...p, chunks: [Buffer.concat(p.chunks).subarray(1)] }), chunksLeft: 0 },
  { name: 'a chunk deleted', change: p => joined(pick(p, 0, 2, 3)), chunksLeft: 1 },
  { name: 'two chunks in another order', change: p => joined(pick(p, 0, 2, 1, 3)), chunksLeft: 1 },
  { name: 'a chunk twice', change: p => joined(pick(p, 0, 1, 1, 2, 3)), chunksLeft: 2 },
  { name: 'the last chunk dropped', change: p => joined(pick(p, 0, 1, 2)), chunksLeft: 2 },
  { name: 'all chunks dropped', change: p => joined(pick(p)), chunksLeft: 0 },
  { name: 'the last chunk cut short', change: p => joined(p).subarray(0, -1), chunksLeft: 3 },
  { name: 'the last chunk cut below a tag', change: p => joined(p).subarray(0, -110), chunksLeft: 3 },
  { name: 'a full chunk cut short', change: p => joined(pick(p, 0, 1)).subarray(0, -7), chunksLeft: 1 },
  { name: 'a byte appended', change: p => Buffer.concat([joined(p), Buffer.from([0])]), chunksLeft: 3 },
  { name: 'the file appended to itself', change: p => Buffer.concat([joined(p), joined(p)]), chunksLeft: 3 },
  { name: 'another file’s chunk', change: p => joined({ ...p, chunks: [p.chunks[0] ?? Buffer.alloc(0), ...other.chunks.slice(1)] }), chunksLeft: 1 },
  { name: 'another file’s header', change: p => joined({ ...p, header: other.header }), chunksLeft: 0 },
  { name: 'another file’s payload', change: p => joined({ ...other, header: p.header }), chunksLeft: 0 },
  { name: 'the payload nonce cut short', change: p => Buffer.concat([p.header, p.nonce.subarray(0, 9)]), chunksLeft: 0 },
  { name: 'the header cut short', change: p => p.header.subarray(0, -2), chunksLeft: 0 },
  { name: 'nothing at all', change: () => Buffer.alloc(0), chunksLeft: 0 },
  { name: 'another version', change: p => Buffer.from(joined(p).toString('latin1').replace('/v1', '/v2'), 'latin1'), chunksLeft: 0 },
  { name: 'a header without end', change: () => Buffer.from(`age-encryption.org/v1\n${'-> X25519 AAAA\nAAAA\n'.repeat(2000)}`), chunksLeft: 0 },
  { name: 'a MAC of zeros', change: p => Buffer.concat([Buffer.from(p.header.toString().replace(/--- .*\n/, `--- ${'A'.repeat(43)}\n`)), p.nonce, ...p.chunks]), chunksLeft: 0 },
  { name: 'a stanza added to the header', change: p => Buffer.concat([Buffer.from(p.header.toString().replace('\n---', '\n-> joke 1\n\n---')), p.nonce, ...p.chunks]), chunksLeft: 0 }
];

describe.each([1_000_000, 65_552, 4096])('read in pieces of %i bytes', piece => {
  test.each(TAMPERED)('refuses $name and lets nothing of a bad chunk out', async ({ change, chunksLeft }) => {
    const { got, code } = await opened(change(apart(file)), piece);
    expect(code).toBe('sealed_corrupt');
    expect(got.length).toBeLessThanOrEqual(chunksLeft * CHUNK_BYTES);
    expect(got.equals(plaintext.subarray(0, got.length))).toBe(true);
  });

  test('opens the file when nothing was changed', async () => {
    const { got, code } = await opened(file, piece);
    expect(code).toBe('none');
    expect(got.equals(plaintext)).toBe(true);
  });
});

test('an empty last chunk is refused unless it is the only one', async () => {
  const { header, fileKey } = await createHeader([await recipientOf(identity)]);
  const nonce = randomBytes(PAYLOAD_NONCE_BYTES);
  const chunk = (counter: number, last: boolean, bytes: Buffer): Buffer => sealChunk(fileKey, nonce, { counter, last, bytes });
  const padded = Buffer.concat([header, nonce, chunk(0, false, randomBytes(CHUNK_BYTES)), chunk(1, true, Buffer.alloc(0))]);
  expect((await opened(padded, 1 << 20)).code).toBe('sealed_corrupt');
  const empty = Buffer.concat([header, nonce, chunk(0, true, Buffer.alloc(0))]);
  expect(await opened(empty, 1 << 20)).toEqual({ got: Buffer.alloc(0), code: 'none' });
});

test('a payload under another key than the header’s MAC is refused before any chunk is opened', async () => {
  const { header } = apart(file);
  const wrong = randomBytes(16);
  // The payload is perfect under `wrong`: only the MAC ties header and key together.
  const payload = await collectBytes(encryptPayload(inPieces(plaintext, 1 << 20), wrong));
  const source = inPieces(Buffer.concat([header, payload]), 1 << 20);
  await expect(openStream(source, { fileKey: wrong }, { header })).rejects.toMatchObject({ code: 'sealed_corrupt' });
});

test('a file sealed to somebody else says so', async () => {
  const stranger = await generateIdentity();
  await expect(openStream(inPieces(file, 4096), { identity: stranger }, {})).rejects.toMatchObject({ code: 'sealed_for_another' });
});

describe('what a descriptor says of the file', () => {
  test.each([
    { name: 'another digest', expected: () => ({ digest: digestOf(new Uint8Array(1)) }), code: 'digest_mismatch' },
    { name: 'a smaller size', expected: () => ({ size: file.length - 1 }), code: 'digest_mismatch' },
    { name: 'a larger size', expected: () => ({ size: file.length + 1 }), code: 'digest_mismatch' },
    { name: 'the header of another asset', expected: () => ({ header: other.header }), code: 'header_mismatch' }
  ])('with $name it does not end well', async ({ expected, code }) => {
    const reading = async (): Promise<Buffer> =>
      collectBytes((await openStream(inPieces(file, 10_000), { identity }, expected())).plaintext);
    await expect(reading()).rejects.toMatchObject({ code });
  });

  test('a file key that belongs to the header opens the file', async () => {
    const { header } = apart(file);
    const fileKey = await openHeader(header, identity);
    const { plaintext: stream } = await openStream(inPieces(file, 10_000), { fileKey }, { header, digest: digestOf(file), size: file.length });
    expect((await collectBytes(stream)).equals(plaintext)).toBe(true);
  });
});

function sealChunk(fileKey: Uint8Array, nonce: Buffer, chunk: { counter: number; last: boolean; bytes: Buffer }): Buffer {
  const key = Buffer.from(hkdfSync('sha256', fileKey, nonce, 'payload', 32));
  const chunkNonce = Buffer.alloc(12);
  chunkNonce.writeUInt8(chunk.counter, 10);
  chunkNonce.writeUInt8(chunk.last ? 1 : 0, 11);
  const cipher = createCipheriv('chacha20-poly1305', key, chunkNonce, { authTagLength: 16 });
  return Buffer.concat([cipher.update(chunk.bytes), cipher.final(), cipher.getAuthTag()]);
}
