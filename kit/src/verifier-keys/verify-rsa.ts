import { constants, createPublicKey, verify, type KeyObject } from 'node:crypto';
import type { RsaPublicKey, VerifyRsa } from '@cloister/protocol';

/** Verifiers have few keys, and a chain's leaf lives for months; beyond this many somebody is trying keys out. */
const MAX_KEYS = 256;

const OPTIONS = {
  RS256: { hash: 'sha256', padding: constants.RSA_PKCS1_PADDING },
  PS384: { hash: 'sha384', padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 48 }
} as const;

/**
 * Verifies RSA signatures by Node's own crypto in its thread pool, so that a service goes on with other tokens meanwhile. Several
 * times as fast as WebCrypto, which makes its key anew each time; here parsed keys are kept, by their modulus and exponent.
 */
export function createNodeRsa(): VerifyRsa {
  const keys = new Map<string, KeyObject>();
  const keyOf = ({ n, e }: RsaPublicKey): KeyObject => {
    const name = `${n}.${e}`;
    const known = keys.get(name);
    if (known !== undefined) return known;
    const key = createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' });
    if (keys.size >= MAX_KEYS) keys.clear();
    keys.set(name, key);
    return key;
  };
  return async (key, algorithm, { input, signature }) => {
    const { hash, ...options } = OPTIONS[algorithm];
    const question = { key: keyOf(key), ...options };
    return new Promise((resolve, reject) => verify(hash, input, question, signature, (error, holds) => (error === null ? resolve(holds) : reject(error))));
  };
}
