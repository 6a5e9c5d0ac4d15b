export { encryptPayload } from './payload.js';
export { sealStream, type Sealed, type SealingStream } from './seal-stream.js';
export { openStream, type Expected, type OpeningKey, type OpeningStream } from './open-stream.js';
export { createFile, openToFile, readInLargePieces, syncDirectory, writeAll } from './open-to-file.js';
export { createTally, type Tally } from './tally.js';
