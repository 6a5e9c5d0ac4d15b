import type { TokenAlgorithm } from '../objects/trust.js';

/** Modulus and exponent of an RSA public key, as in a JWK (RFC 7518 section 6.3.1). */
export interface RsaPublicKey {
  readonly n: string;
  readonly e: string;
}

/**
 * Verifies one RSA signature: RS256 (RSASSA-PKCS1-v1_5 with SHA-256) or PS384 (RSASSA-PSS with SHA-384 and a salt of 48 bytes). A
 * malformed signature is no signature: false. Key and algorithm have been judged before.
 */
export type VerifyRsa = (key: RsaPublicKey, algorithm: TokenAlgorithm, signed: { readonly input: Uint8Array<ArrayBuffer>; readonly signature: Uint8Array<ArrayBuffer> }) => boolean | Promise<boolean>;

const PARAMETERS = {
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  PS384: { name: 'RSA-PSS', hash: 'SHA-384', saltLength: 48 }
} as const satisfies Record<TokenAlgorithm, object>;

/** By WebCrypto, which every browser and Node have. */
export const verifyRsaByWebCrypto: VerifyRsa = async ({ n, e }, algorithm, { input, signature }) => {
  const parameters = PARAMETERS[algorithm];
  const key = await crypto.subtle.importKey('jwk', { kty: 'RSA', n, e, alg: algorithm, ext: true }, parameters, false, ['verify']);
  return crypto.subtle.verify(parameters, key, signature, input);
};
