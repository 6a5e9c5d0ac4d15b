export { CHUNK_BYTES, PAYLOAD_NONCE_BYTES, SEALED_CHUNK_BYTES, TAG_BYTES } from './stream-cipher.js';
export { decryptPayload, encryptPayload, payloadSize } from './payload.js';
export { sealStream, type Sealed, type SealingStream } from './seal-stream.js';
export { openStream, type Expected, type OpeningKey, type OpeningStream } from './open-stream.js';
export { createFile, openToFile, readInLargePieces, writeAll } from './open-to-file.js';
export { createTally, type Tally } from './tally.js';
