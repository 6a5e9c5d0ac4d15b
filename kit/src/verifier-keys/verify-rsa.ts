import { constants, createPublicKey, verify, type KeyObject } from 'node:crypto';
import type { RsaPublicKey, VerifyRsa } from '@cloister/protocol';

/** Verifiers have few keys, and a chain's leaf lives for months; beyond this many somebody is trying keys out. */
const MAX_KEYS = 256;

const OPTIONS = {
  RS256: { hash: 'sha256', padding: constants.RSA_PKCS1_PADDING },
  PS384: { hash: 'sha384', padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 48 }
} as const;

/**
 * Verifies RSA signatures by Node's own crypto, several times as fast as WebCrypto, which makes a key and a job for
 * another thread each time. Parsed keys are kept, by their modulus and exponent.
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
  return (key, algorithm, { input, signature }) => {
    const { hash, ...options } = OPTIONS[algorithm];
    return verify(hash, input, { key: keyOf(key), ...options }, signature);
  };
}
