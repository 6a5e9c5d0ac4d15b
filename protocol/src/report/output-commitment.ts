import { labelledHash } from '../bytes/digest.js';

/** `H("cloister/output/v1", salt || SHA-256(plaintext))`. */
export function outputCommitment(salt: Uint8Array, plaintextSha256: Uint8Array): string {
  return labelledHash('cloister/output/v1', salt, plaintextSha256);
}
