import { AppError } from '@cloister/protocol';
import { createByteReader } from './byte-reader.js';
import { inRuns } from './chunk-runs.js';
import {
  CHUNK_BYTES,
  PAYLOAD_NONCE_BYTES,
  SEALED_CHUNK_BYTES,
  createChunkOpener,
  createChunkSealer,
  createPayloadNonce
} from './stream-cipher.js';

/**
 * The payload of an age file: a nonce of 16 bytes, then the sealed chunks. Memory stays constant.
 * A file key serves one payload; `payloadNonce` is given only by tests that need fixed bytes.
 */
export async function* encryptPayload(
  plaintext: AsyncIterable<Uint8Array>,
  fileKey: Uint8Array,
  payloadNonce: Uint8Array = createPayloadNonce()
): AsyncGenerator<Uint8Array, undefined> {
  const sealer = createChunkSealer(fileKey, payloadNonce);
  yield payloadNonce;
  for await (const { bytes, last } of inRuns(plaintext, CHUNK_BYTES)) yield sealer.seal(bytes, last);
}

/**
 * The plaintext of an age payload. Nothing of a chunk comes out before its tag was verified, and the stream ends
 * without an error only after the chunk that is marked as the last, with nothing behind it.
 * The payload does not commit to its key: verify the header's MAC under `fileKey` first (`openStream` does).
 * @throws AppError sealed_corrupt
 */
export async function* decryptPayload(
  payload: AsyncIterable<Uint8Array>,
  fileKey: Uint8Array
): AsyncGenerator<Uint8Array, undefined> {
  const reader = createByteReader(payload);
  try {
    const payloadNonce = await reader.take(PAYLOAD_NONCE_BYTES);
    if (payloadNonce.length < PAYLOAD_NONCE_BYTES) throw new AppError('sealed_corrupt', 'sealed payload: cut short');
    const opener = createChunkOpener(fileKey, payloadNonce);
    for await (const { bytes, last } of inRuns(reader.rest(), SEALED_CHUNK_BYTES)) {
      const opened = opener.open(bytes, last);
      if (opened.length > 0) yield opened;
    }
  } finally {
    await reader.close();
  }
}
