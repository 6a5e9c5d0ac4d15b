import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK } from 'jose';
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

export async function createSigningKey(): Promise<PrivateJwk> {
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const { kty, crv, x, d } = await exportJWK(privateKey);
  return PrivateJwk.parse({ kty, crv, x, d });
}

export async function signerOf(jwk: PrivateJwk): Promise<Signer> {
  const key = await importKey({ ...jwk, alg: 'EdDSA' });
  const publicJwk = PublicJwk.parse({ kty: jwk.kty, crv: jwk.crv, x: jwk.x });
  return { jwk: publicJwk, thumbprint: await thumbprintOf(publicJwk), key };
}

/** RFC 7638 thumbprint with SHA-256. */
export async function thumbprintOf(jwk: PublicJwk): Promise<Thumbprint> {
  return Thumbprint.parse(await calculateJwkThumbprint(jwk, 'sha256'));
}

/** @throws AppError signature_invalid where the point is none of the curve's */
export async function publicKeyOf(jwk: PublicJwk): Promise<CryptoKey> {
  fromBase64Url(jwk.x);
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
