import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { beforeAll, describe, expect, test } from 'vitest';
import { toBase64 } from '../bytes/base64url.js';
import { digestOf } from '../bytes/digest.js';
import { verifyChain } from './certificate-chain.js';

const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]), modulusLength: 2048 };
const NOW = new Date('2030-01-01T00:00:00Z');

let keys: readonly [CryptoKeyPair, CryptoKeyPair, CryptoKeyPair];
beforeAll(async () => {
  const generate = async (): Promise<CryptoKeyPair> => crypto.subtle.generateKey(RSA, true, ['sign', 'verify']);
  keys = [await generate(), await generate(), await generate()];
});

interface ChainOptions {
  readonly root?: readonly x509.Extension[];
  readonly middle?: readonly x509.Extension[];
  readonly leaf?: readonly x509.Extension[];
  readonly issuerOfLeaf?: string;
  readonly leafKey?: CryptoKey;
}

const authority = (pathLength?: number): x509.Extension => new x509.BasicConstraintsExtension(true, pathLength, true);
const usage = (flags: x509.KeyUsageFlags): x509.Extension => new x509.KeyUsagesExtension(flags, true);

interface MadeChain {
  /** Leaf, intermediate, root, as DER. */
  readonly chain: readonly [Uint8Array, Uint8Array, Uint8Array];
  readonly root: ReturnType<typeof digestOf>;
}

async function verify(options: ChainOptions): Promise<CryptoKey> {
  const { chain, root } = await make(options);
  return verifyChain(chain.map(toBase64), [root], NOW);
}

async function make({ root = [authority()], middle = [authority()], leaf = [], issuerOfLeaf = 'CN=Middle', leafKey }: ChainOptions = {}): Promise<MadeChain> {
  const [rootKeys, middleKeys, leafKeys] = keys;
  const common = { notBefore: new Date('2020-01-01T00:00:00Z'), notAfter: new Date('2049-01-01T00:00:00Z'), signingAlgorithm: RSA };
  const generate = x509.X509CertificateGenerator;
  const top = await generate.createSelfSigned({ ...common, serialNumber: '01', name: 'CN=Root', keys: rootKeys, extensions: [...root] });
  const between = await generate.create({ ...common, serialNumber: '02', subject: 'CN=Middle', issuer: 'CN=Root', publicKey: middleKeys.publicKey, signingKey: rootKeys.privateKey, extensions: [...middle] });
  const bottom = await generate.create({ ...common, serialNumber: '03', subject: 'CN=Leaf', issuer: issuerOfLeaf, publicKey: leafKey ?? leafKeys.publicKey, signingKey: middleKeys.privateKey, extensions: [...leaf] });
  const der = ({ rawData }: x509.X509Certificate): Uint8Array => new Uint8Array(rawData);
  return { chain: [der(bottom), der(between), der(top)], root: digestOf(der(top)) };
}

describe('a chain of three certificates', () => {
  test('gives the key of its leaf, for RS256', async () => {
    const key = await verify({
      root: [authority(1), usage(x509.KeyUsageFlags.keyCertSign)],
      middle: [authority(0), usage(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign)],
      leaf: [usage(x509.KeyUsageFlags.digitalSignature)]
    });
    expect(key.algorithm).toMatchObject({ name: 'RSASSA-PKCS1-v1_5', hash: { name: 'SHA-256' } });
    const signature = await crypto.subtle.sign(RSA.name, keys[2].privateKey, new Uint8Array([1]));
    expect(await crypto.subtle.verify(RSA.name, key, signature, new Uint8Array([1]))).toBe(true);
  });

  test.each<[string, () => ChainOptions]>([
    ['an intermediate that is no authority', () => ({ middle: [] })],
    ['a leaf that is an authority', () => ({ leaf: [authority()] })],
    ['a root that may have no authority below it', () => ({ root: [authority(0)] })],
    ['an intermediate whose key may not sign certificates', () => ({ middle: [authority(), usage(x509.KeyUsageFlags.digitalSignature)] })],
    ['a leaf whose key may not sign tokens', () => ({ leaf: [usage(x509.KeyUsageFlags.keyEncipherment)] })],
    ['a critical extension that nobody knows', () => ({ middle: [authority(), new x509.Extension('1.2.3.4', true, new Uint8Array([5, 0]))] })],
    ['one extension twice', () => ({ middle: [authority(), new x509.BasicConstraintsExtension(true, undefined, false)] })],
    ['a leaf of another issuer’s name', () => ({ issuerOfLeaf: 'CN=Somebody else' })]
  ])('%s is refused', async (_, options) => {
    await expect(verify(options())).rejects.toMatchObject({ code: 'attestation_rejected' });
  });

  test('a key that is not RSA, and a short one, are refused', async () => {
    const curve = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
    await expect(verify({ leafKey: curve.publicKey })).rejects.toMatchObject({ detail: 'a key in the chain is not RSA' });
    const short = await crypto.subtle.generateKey({ ...RSA, modulusLength: 1024 }, true, ['sign', 'verify']);
    await expect(verify({ leafKey: short.publicKey })).rejects.toMatchObject({ detail: 'a key in the chain has less than 2048 bits' });
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
    const { chain, root } = await make();
    const [leaf, middle, top] = chain;
    await expect(verifyChain(chain.map(toBase64), [root], NOW)).resolves.toBeDefined();
    for (const forged of [[change(leaf), middle, top], [leaf, change(middle), top], [leaf, middle, change(top)]]) {
      await expect(verifyChain(forged.map(toBase64), [root], NOW)).rejects.toMatchObject({ code: 'attestation_rejected' });
    }
  });
});
