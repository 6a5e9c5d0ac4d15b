import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { AppError } from '@cloister/protocol';

/** Plaintext bytes of a full chunk; only the last chunk may be shorter (C2SP age, "Payload"). */
export const CHUNK_BYTES = 64 * 1024;
/** Of the Poly1305 tag behind each chunk. */
export const TAG_BYTES = 16;
/** A full chunk as it lies in the file. */
export const SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES;
/** Random bytes at the start of a payload, which make its key its own. */
export const PAYLOAD_NONCE_BYTES = 16;

const CIPHER = 'chacha20-poly1305';
const OPTIONS = { authTagLength: TAG_BYTES } as const;
/** A chunk nonce is an 11-byte big-endian counter and a byte that is 1 for the last chunk. */
const COUNTER_AT = 5;
const COUNTER_BYTES = 6;
const LAST_FLAG_AT = 11;

/** The age STREAM construction: counts chunks, so that none can be moved, dropped or added unnoticed. */
export interface ChunkSealer {
  /** Seals whole chunks, of which the very last may be short or, where it is the only one, empty. */
  readonly seal: (plaintext: Uint8Array, last: boolean) => Buffer;
}
export interface ChunkOpener {
  /** Gives the plaintext of whole sealed chunks, after every tag in them was verified. */
  readonly open: (sealed: Uint8Array, last: boolean) => Buffer;
}

export function createPayloadNonce(): Buffer {
  return randomBytes(PAYLOAD_NONCE_BYTES);
}

export function createChunkSealer(fileKey: Uint8Array, payloadNonce: Uint8Array): ChunkSealer {
  const key = payloadKey(fileKey, payloadNonce);
  const nonces = createNonces();
  return {
    seal: (plaintext, last) => {
      const parts: Buffer[] = [];
      for (const { chunk, isLast } of chunksOf(plaintext, CHUNK_BYTES, last)) {
        const cipher = createCipheriv(CIPHER, key, nonces.next(isLast), OPTIONS);
        parts.push(cipher.update(chunk), cipher.final(), cipher.getAuthTag());
      }
      return Buffer.concat(parts);
    }
  };
}

/** `open` throws AppError sealed_corrupt where a tag does not fit or the last chunk is not as it must be. */
export function createChunkOpener(fileKey: Uint8Array, payloadNonce: Uint8Array): ChunkOpener {
  const key = payloadKey(fileKey, payloadNonce);
  const nonces = createNonces();
  return {
    open: (sealed, last) => {
      const parts: Buffer[] = [];
      for (const { chunk, isLast } of chunksOf(sealed, SEALED_CHUNK_BYTES, last)) {
        // An empty last chunk after others is a second form of the same plaintext: the format forbids it.
        if (chunk.length < TAG_BYTES || (chunk.length === TAG_BYTES && !nonces.isFirst())) throw corrupt('cut short');
        const decipher = createDecipheriv(CIPHER, key, nonces.next(isLast), OPTIONS);
        decipher.setAuthTag(chunk.subarray(-TAG_BYTES));
        parts.push(decipher.update(chunk.subarray(0, -TAG_BYTES)));
        try {
          decipher.final();
        } catch (cause) {
          throw corrupt('a chunk does not authenticate', cause);
        }
      }
      return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
    }
  };
}

function corrupt(detail: string, cause?: unknown): AppError {
  return new AppError('sealed_corrupt', `sealed payload: ${detail}`, { cause });
}

function payloadKey(fileKey: Uint8Array, payloadNonce: Uint8Array): Buffer {
  if (fileKey.length !== 16) throw new AppError('sealed_corrupt', 'an age file key has 16 bytes');
  return Buffer.from(hkdfSync('sha256', fileKey, payloadNonce, 'payload', 32));
}

function createNonces(): { next: (last: boolean) => Buffer; isFirst: () => boolean } {
  const nonce = Buffer.alloc(12);
  let counter = 0;
  return {
    isFirst: () => counter === 0,
    next: last => {
      // writeUIntBE throws beyond 48 bits (2^64 bytes of plaintext), so a nonce never comes twice.
      nonce.writeUIntBE(counter, COUNTER_AT, COUNTER_BYTES);
      nonce[LAST_FLAG_AT] = last ? 1 : 0;
      counter += 1;
      return nonce;
    }
  };
}

function* chunksOf(bytes: Uint8Array, unit: number, last: boolean): Generator<{ chunk: Uint8Array; isLast: boolean }> {
  let at = 0;
  do {
    const end = Math.min(at + unit, bytes.length);
    yield { chunk: bytes.subarray(at, end), isLast: last && end === bytes.length };
    at = end;
  } while (at < bytes.length);
}
