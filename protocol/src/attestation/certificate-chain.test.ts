import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { beforeAll, describe, expect, test } from 'vitest';
import { toBase64 } from '../bytes/base64url.js';
import { createTestChain, createTestChainKeys, type TestChainKeys, type TestChainOptions } from '../testing/index.js';
import { verifyChain } from './certificate-chain.js';
import { verifyRsaByWebCrypto } from './rsa.js';

const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]), modulusLength: 2048 };
const NOW = new Date('2030-01-01T00:00:00Z');

let keys: TestChainKeys;
beforeAll(async () => {
  keys = await createTestChainKeys();
}, 60_000);

const authority = (pathLength?: number): x509.Extension => new x509.BasicConstraintsExtension(true, pathLength, true);
const usage = (flags: x509.KeyUsageFlags): x509.Extension => new x509.KeyUsagesExtension(flags, true);

async function verify(options: TestChainOptions): ReturnType<typeof verifyChain> {
  const { x5c, root } = await createTestChain({ keys, ...options });
  return verifyChain([...x5c], [root], NOW);
}

describe('a chain of three certificates', () => {
  test('gives the key of its leaf, for RS256', async () => {
    const key = await verify({
      root: { extensions: [authority(1), usage(x509.KeyUsageFlags.keyCertSign)] },
      middle: { extensions: [authority(0), usage(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign)] },
      leaf: { extensions: [usage(x509.KeyUsageFlags.digitalSignature)] }
    });
    const input = new Uint8Array([1]);
    const signature = new Uint8Array(await crypto.subtle.sign(RSA.name, keys.leaf.privateKey, input));
    expect(await verifyRsaByWebCrypto(key, 'RS256', { input, signature })).toBe(true);
  });

  test.each<[string, () => TestChainOptions]>([
    ['an intermediate that is no authority', () => ({ middle: { extensions: [] } })],
    ['a leaf that is an authority', () => ({ leaf: { extensions: [authority()] } })],
    ['a root that may have no authority below it', () => ({ root: { extensions: [authority(0)] } })],
    ['an intermediate whose key may not sign certificates', () => ({ middle: { extensions: [authority(), usage(x509.KeyUsageFlags.digitalSignature)] } })],
    ['a leaf whose key may not sign tokens', () => ({ leaf: { extensions: [usage(x509.KeyUsageFlags.keyEncipherment)] } })],
    ['a critical extension that nobody knows', () => ({ middle: { extensions: [authority(), new x509.Extension('1.2.3.4', true, new Uint8Array([5, 0]))] } })],
    ['one extension twice', () => ({ middle: { extensions: [authority(), new x509.BasicConstraintsExtension(true, undefined, false)] } })],
    ['a leaf of another issuer’s name', () => ({ leaf: { issuer: 'CN=Somebody else' } })]
  ])('%s is refused', async (_, options) => {
    await expect(verify(options())).rejects.toMatchObject({ code: 'attestation_rejected' });
  });

  test('a key that is not RSA, and a short one, are refused', async () => {
    const curve = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
    await expect(verify({ keys: { ...keys, leaf: curve } })).rejects.toMatchObject({ detail: 'a key in the chain is not RSA' });
    const short = await crypto.subtle.generateKey({ ...RSA, modulusLength: 1024 }, true, ['sign', 'verify']);
    await expect(verify({ keys: { ...keys, leaf: short } })).rejects.toMatchObject({ detail: 'a key in the chain has less than 2048 bits' });
  });

  /** Of a certificate signed by an RSA key of 2048 bits: `30 82 hh ll … 05 00 | 03 82 01 01 00 | 256 bytes`. */
  const SIGNATURE = 256;
  const changed = (bytes: Uint8Array, fromEnd: number, value: number): Uint8Array => bytes.with(bytes.length - fromEnd, value);
  const FORMS: readonly (readonly [string, (der: Uint8Array) => Uint8Array])[] = [
    ['bytes behind it', der => Uint8Array.from([...der, 0])],
    ['a length that is not known beforehand', der => Uint8Array.from([0x30, 0x80, ...der.subarray(4), 0, 0])],
    ['a length with leading zeros', der => Uint8Array.from([0x30, 0x84, 0, 0, ...der.subarray(2)])],
    ['parameters of its algorithm that nobody signed', der => changed(der, SIGNATURE + 7, 0x04)],
    ['unused bits in its signature', der => changed(der, SIGNATURE + 1, 3)]
  ];
  test.each(FORMS)('%s: another text of the same certificate is refused', async (_, change) => {
    const { der, root } = await createTestChain({ keys });
    const [leaf, middle, top] = der;
    await expect(verifyChain(der.map(toBase64), [root], NOW)).resolves.toBeDefined();
    for (const forged of [[change(leaf), middle, top], [leaf, change(middle), top], [leaf, middle, change(top)]]) {
      await expect(verifyChain(forged.map(toBase64), [root], NOW)).rejects.toMatchObject({ code: 'attestation_rejected' });
    }
  });
});
