import { createHash } from 'node:crypto';
import { digestFromHex, type Digest } from '@cloister/protocol';

/** SHA-256 and length of bytes on their way. */
export interface Tally {
  readonly add: (bytes: Uint8Array) => void;
  readonly size: () => number;
  /** Ends the tally. */
  readonly digest: () => Digest;
}

export function createTally(): Tally {
  const hash = createHash('sha256');
  let size = 0;
  return {
    add: bytes => {
      hash.update(bytes);
      size += bytes.length;
    },
    size: () => size,
    digest: () => digestFromHex(hash.digest('hex'))
  };
}
