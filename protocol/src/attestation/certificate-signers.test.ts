import 'reflect-metadata';
import { AsnConvert } from '@peculiar/asn1-schema';
import { Certificate } from '@peculiar/asn1-x509';
import * as x509 from '@peculiar/x509';
import { beforeAll, describe, expect, test } from 'vitest';
import { toBase64 } from '../bytes/base64url.js';
import { digestOf } from '../bytes/digest.js';
import type { Json } from '../bytes/json.js';
import { AppError } from '../errors.js';
import type { Digest } from '../objects/primitives.js';
import { createTestChain, createTestChainKeys, type TestChainKeys, type TestChainOptions } from '../testing/index.js';
import { verifyChain } from './certificate-chain.js';

/** Chains as other authorities make them: another hash, no extensions, one second of life; and what a refusal says. */
const NOW = new Date('2030-01-01T00:00:00Z');
const NAMES = ['CN=Leaf', 'CN=Middle', 'CN=Root'] as const;

async function chainBy(hash: string): Promise<Uint8Array<ArrayBuffer>[]> {
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash, publicExponent: new Uint8Array([1, 0, 1]), modulusLength: 2048 };
  const pairs = await Promise.all(NAMES.map(async () => crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])));
  const certificates = await Promise.all(
    NAMES.map(async (subject, at) => {
      const [own, signer] = [pairs[at], pairs[at + 1] ?? pairs[at]];
      if (own === undefined || signer === undefined) throw new Error('no key');
      const extensions = at === 0 ? {} : { extensions: [new x509.BasicConstraintsExtension(true, undefined, true)] };
      return x509.X509CertificateGenerator.create({
        serialNumber: `0${at + 1}`, subject, issuer: NAMES[at + 1] ?? subject, notBefore: new Date('2020-01-01'), notAfter: new Date('2049-01-01'),
        signingAlgorithm: algorithm, publicKey: own.publicKey, signingKey: signer.privateKey, ...extensions
      });
    })
  );
  return certificates.map(certificate => new Uint8Array(certificate.rawData));
}

const verify = async (der: readonly Uint8Array<ArrayBuffer>[], now = NOW): ReturnType<typeof verifyChain> => verifyChain(der.map(toBase64), [digestOf(der[2] ?? new Uint8Array())], now);

test.each(['SHA-256', 'SHA-384', 'SHA-512'])('a chain signed with %s is accepted, its leaf without extensions', async hash => {
  await expect(verify(await chainBy(hash))).resolves.toMatchObject({ e: 'AQAB' });
});

describe('a refusal says what is wrong', () => {
  let keys: TestChainKeys;
  beforeAll(async () => {
    keys = await createTestChainKeys();
  }, 60_000);

  test('a chain signed with SHA-1', async () => {
    await expect(verify(await chainBy('SHA-1'))).rejects.toMatchObject({ detail: 'a certificate is not signed by RSA with SHA-2' });
  });

  test('a pinned root that names one algorithm outside and another inside', async () => {
    const { der } = await createTestChain({ keys });
    const [leaf, middle, root] = der;
    // …1.1.11 becomes …1.1.12 before the signature: 256 bytes of it, its header of 5, the parameters of 2.
    const other = root.with(root.length - 256 - 5 - 3, 0x0c);
    await expect(verify([leaf, middle, other])).rejects.toMatchObject({ detail: 'a certificate is not signed by RSA with SHA-2' });
  });

  test('an entry that is no certificate, with the parser’s own words kept', async () => {
    const { x5c, root } = await createTestChain({ keys });
    await expect(verifyChain([toBase64(new Uint8Array([5, 0])), x5c[1], x5c[2]], [root], NOW)).rejects.toMatchObject({ detail: 'an x5c entry is not a certificate', cause: expect.any(Error) as unknown });
    const curve = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
    const chain = await createTestChain({ keys: { ...keys, leaf: curve } });
    await expect(verifyChain([...chain.x5c], [chain.root], NOW)).rejects.toMatchObject({ detail: 'a key in the chain is not RSA', cause: expect.any(Error) as unknown });
  });

  const authority = (pathLength?: number): x509.Extension => new x509.BasicConstraintsExtension(true, pathLength, true);
  const usage = (flags: x509.KeyUsageFlags): x509.Extension => new x509.KeyUsagesExtension(flags, true);
  test.each<[string, () => TestChainOptions]>([
    ['an issuer in the chain is no certificate authority', () => ({ middle: { extensions: [] } })],
    ['the leaf is a certificate authority', () => ({ leaf: { extensions: [authority()] } })],
    ['an issuer in the chain may not have so many authorities below it', () => ({ root: { extensions: [authority(0)] } })],
    ['a key in the chain is not for this use', () => ({ leaf: { extensions: [usage(x509.KeyUsageFlags.keyEncipherment)] } })],
    ['a certificate has a critical extension that is not known', () => ({ leaf: { extensions: [new x509.Extension('1.2.3.4', true, new Uint8Array([5, 0]))] } })],
    ['a certificate has one extension twice', () => ({ middle: { extensions: [authority(), new x509.BasicConstraintsExtension(true, undefined, false)] } })],
    ['names in the chain do not follow one another', () => ({ leaf: { issuer: 'CN=Somebody else' } })],
    ['a signature in the chain does not hold', () => ({ keys: { ...keys, root: keys.middle } })]
  ])('%s', async (detail, options) => {
    const { der } = await createTestChain({ keys, ...options() });
    const [leaf, middle] = der;
    const root = detail.startsWith('a signature') ? (await createTestChain({ keys })).der[2] : der[2];
    await expect(verify([leaf, middle, root])).rejects.toMatchObject({ code: 'attestation_rejected', detail });
  });

  test('a list that is none, an entry that is no text, a root that nobody pinned, another form, another exponent', async () => {
    const { x5c, der, root } = await createTestChain({ keys });
    const refused = async (list: Json, roots: readonly Digest[] = [root]): Promise<unknown> => verifyChain(list, roots, NOW).catch((error: unknown) => (error instanceof AppError ? error.detail : error));
    expect(await refused([x5c[0]])).toBe('x5c has not 3 certificates');
    expect(await refused([7, x5c[1], x5c[2]])).toBe('an x5c entry is not text');
    expect(await refused([...x5c], [])).toBe('the root is not a pinned one');
    expect(await refused([toBase64(Uint8Array.from([...der[0], 0])), x5c[1], x5c[2]])).toBe('a certificate is not in the one form that DER allows');
    const small = await crypto.subtle.generateKey({ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([3]), modulusLength: 2048 }, true, ['sign', 'verify']);
    const weak = await createTestChain({ keys: { ...keys, leaf: small } });
    expect(await refused([...weak.x5c], [weak.root])).toBe('a key in the chain has another exponent than 65537');
  });

  test('a leaf that has no extensions at all', async () => {
    const { der, x5c, root } = await createTestChain({ keys });
    const leaf = AsnConvert.parse(der[0], Certificate);
    delete leaf.tbsCertificate.extensions;
    const signed = AsnConvert.serialize(leaf.tbsCertificate);
    leaf.tbsCertificateRaw = signed;
    leaf.signatureValue = await crypto.subtle.sign('RSASSA-PKCS1-v1_5', keys.middle.privateKey, signed);
    await expect(verifyChain([toBase64(new Uint8Array(AsnConvert.serialize(leaf))), x5c[1], x5c[2]], [root], NOW)).resolves.toMatchObject({ e: 'AQAB' });
  });

  test.each(['leaf', 'middle', 'root'] as const)('the first and the last moment of the %s count, and none before or after', async certificate => {
    const [first, last] = [NOW, new Date(NOW.getTime() + 1000)];
    const { der } = await createTestChain({ keys, [certificate]: { notBefore: first, notAfter: last } });
    for (const time of [first, last]) await expect(verify(der, time)).resolves.toBeDefined();
    for (const time of [first.getTime() - 1, last.getTime() + 1]) {
      await expect(verify(der, new Date(time))).rejects.toMatchObject({ detail: 'a certificate was not valid when the token was issued' });
    }
  });
});
