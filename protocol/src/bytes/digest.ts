import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { toBase64Url } from './base64url.js';
import { jcsBytes } from './jcs.js';
import { concatBytes, toUtf8 } from './text.js';
import { Digest } from '../objects/primitives.js';

/** `sha256:<64 hex>` of bytes. */
export function digestOf(bytes: Uint8Array): Digest {
  return digestFromHex(bytesToHex(sha256(bytes)));
}

/** `sha256:<64 hex>` of a SHA-256 that was made elsewhere, as by node:crypto over a stream. */
export function digestFromHex(hex: string): Digest {
  return Digest.parse(`sha256:${hex}`);
}

/** Digest of a value's RFC 8785 bytes. */
export function digestOfJson(value: unknown): Digest {
  return digestOf(jcsBytes(value));
}

/** Raw SHA-256, 32 bytes. */
export function sha256Bytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(sha256(bytes));
}

/**
 * `H(label, bytes) = b64url(SHA-256(utf8(label) || 0x00 || bytes))`, 43 characters: inside every documented
 * limit of an attestation nonce. Labels are ours and hold no NUL, so no two labels share a preimage.
 */
export function labelledHash(label: HashLabel, ...parts: readonly Uint8Array[]): string {
  return toBase64Url(sha256(concatBytes(toUtf8(label), new Uint8Array(1), ...parts)));
}

/** What a hash is made for. A new use is a new label. */
export type HashLabel =
  | 'cloister/parameters/v1'
  | 'cloister/release/v1'
  | 'cloister/report/v1'
  | 'cloister/output/v1';
