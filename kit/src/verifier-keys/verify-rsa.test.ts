import { verifyRsaByWebCrypto, type TokenAlgorithm } from '@cloister/protocol';
import { describe, expect, test } from 'vitest';
import { createNodeRsa } from './verify-rsa.js';

const NAMES = { RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, PS384: { name: 'RSA-PSS', hash: 'SHA-384', saltLength: 48 } } as const;
const input = new TextEncoder().encode('header.claims');

async function signed(algorithm: TokenAlgorithm, saltLength = 48): Promise<{ key: { n: string; e: string }; signature: Uint8Array<ArrayBuffer> }> {
  const parameters = { ...NAMES[algorithm], saltLength };
  const pair = await crypto.subtle.generateKey({ ...parameters, modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) }, true, ['sign', 'verify']);
  const { n = '', e = '' } = await crypto.subtle.exportKey('jwk', pair.publicKey);
  return { key: { n, e }, signature: new Uint8Array(await crypto.subtle.sign(parameters, pair.privateKey, input)) };
}

describe.each(['RS256', 'PS384'] as const)('%s', algorithm => {
  test('says what WebCrypto says, of true and false signatures', async () => {
    const { key, signature } = await signed(algorithm);
    const other = await signed(algorithm);
    const nodeRsa = createNodeRsa();
    const flipped = Uint8Array.from(signature, (byte, at) => (at === 7 ? byte ^ 1 : byte));
    const cases = [[key, signature, true], [other.key, signature, false], [key, flipped, false], [key, signature.subarray(1), false], [key, new Uint8Array(0), false]] as const;
    for (const [by, bytes, holds] of cases) {
      const question = { input, signature: new Uint8Array(bytes) };
      expect(await nodeRsa(by, algorithm, question)).toBe(holds);
      expect(await verifyRsaByWebCrypto(by, algorithm, question)).toBe(holds);
    }
  });

  test('a signature by the other algorithm is none', async () => {
    const { key, signature } = await signed(algorithm);
    const other = algorithm === 'RS256' ? 'PS384' : 'RS256';
    expect(await createNodeRsa()(key, other, { input, signature })).toBe(false);
  });
});

test('PS384 with a salt of another length is no PS384 (RFC 7518 section 3.5)', async () => {
  const { key, signature } = await signed('PS384', 32);
  expect(await createNodeRsa()(key, 'PS384', { input, signature })).toBe(false);
  expect(await verifyRsaByWebCrypto(key, 'PS384', { input, signature })).toBe(false);
});
