import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK } from 'jose';
import { bytesToHex } from '@noble/hashes/utils.js';
import * as z from 'zod/mini';
import { AppError } from '../errors.js';
import { fromBase64Url } from '../bytes/base64url.js';
import { Bytes32, Thumbprint } from '../objects/primitives.js';

/** Public Ed25519 key as a JWK (RFC 8037), with no other member. */
export const PublicJwk = z.strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: Bytes32 });
export type PublicJwk = z.infer<typeof PublicJwk>;

/** Private Ed25519 key as a JWK. It lives in a file of mode 0600 and nowhere else. */
export const PrivateJwk = z.strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: Bytes32, d: Bytes32 });
export type PrivateJwk = z.infer<typeof PrivateJwk>;

/** A key that signs, as the rest of the code sees it: it never sees the private bytes. */
export interface Signer {
  readonly jwk: PublicJwk;
  readonly thumbprint: Thumbprint;
  readonly key: CryptoKey;
}

/** A fresh Ed25519 key pair, for a file of mode 0600. */
export async function createSigningKey(): Promise<PrivateJwk> {
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const { kty, crv, x, d } = await exportJWK(privateKey);
  return PrivateJwk.parse({ kty, crv, x, d });
}

/** A signer of a private key. The CryptoKey cannot be read back. @throws AppError signature_invalid */
export async function signerOf(jwk: PrivateJwk): Promise<Signer> {
  const key = await importKey({ ...jwk, alg: 'EdDSA' });
  const publicJwk = PublicJwk.parse({ kty: jwk.kty, crv: jwk.crv, x: jwk.x });
  return { jwk: publicJwk, thumbprint: await thumbprintOf(publicJwk), key };
}

/** RFC 7638 thumbprint with SHA-256. */
export async function thumbprintOf(jwk: PublicJwk): Promise<Thumbprint> {
  return Thumbprint.parse(await calculateJwkThumbprint(jwk, 'sha256'));
}

/**
 * y of the curve's points of small order (little-endian hex, sign bit cleared). Under such a key a signature can be
 * made without any private key, so its owner could later disown what "he" signed.
 */
const SMALL_ORDER = new Set([
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  `ec${'ff'.repeat(30)}7f`
]);

/** @throws AppError signature_invalid where the point is none of the curve's, of small order, or not reduced */
export async function publicKeyOf(jwk: PublicJwk): Promise<CryptoKey> {
  const y = fromBase64Url(jwk.x);
  y[31] = (y[31] ?? 0) & 0x7f;
  const unreduced = (y[0] ?? 0) >= 0xed && y[31] === 0x7f && y.subarray(1, 31).every(byte => byte === 0xff);
  if (unreduced || SMALL_ORDER.has(bytesToHex(y))) throw new AppError('signature_invalid', 'a public key that anybody can sign for');
  return importKey({ ...jwk, alg: 'EdDSA' });
}

async function importKey(jwk: { kty: string; crv: string; x: string; alg: string }): Promise<CryptoKey> {
  try {
    const key = await importJWK(jwk, 'EdDSA');
    if (key instanceof Uint8Array) throw new AppError('signature_invalid', 'a symmetric key cannot sign');
    return key;
  } catch (cause) {
    throw new AppError('signature_invalid', 'not an Ed25519 key', { cause });
  }
}
