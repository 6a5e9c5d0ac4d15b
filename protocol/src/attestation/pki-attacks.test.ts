import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { beforeAll, describe, expect, test } from 'vitest';
import { fromBase64, toBase64, toBase64Url } from '../bytes/base64url.js';
import { digestOf } from '../bytes/digest.js';
import type { Json } from '../bytes/json.js';
import { toUtf8 } from '../bytes/text.js';
import { createTestChain, createTestRelyingParty, pemOf, TEST_KEY_ID, TEST_TIME, type TestChain, type TestChainOptions, type TestRelyingParty } from '../testing/index.js';

/** J11: what an attacker does to the certificates of a PKI token. The token is signed by the leaf's key each time; only the chain lies. */
let google: TestRelyingParty;
let stranger: TestChain;
beforeAll(async () => {
  [google, stranger] = await Promise.all([createTestRelyingParty({ kind: 'google' }), createTestChain()]);
}, 60_000);

const NO_CHAIN = ['key', 'signature'];
const authority = (): x509.Extension => new x509.BasicConstraintsExtension(true, undefined, true);
const chainOf = (): TestChain => google.verifier.chain;

/** A token of ours with this in its header. */
const withCertificates = (x5c: Json): Promise<string> => google.mint({ kind: 'pki', header: { x5c } });

/** A token signed by the leaf of another chain, whose root the relying party pins all the same. */
async function refusalsOf(options: TestChainOptions, pin: 'its root' | 'ours' = 'its root'): Promise<string[]> {
  const chain = await createTestChain({ keys: chainOf().keys, ...options });
  return refusalsOfChain(chain, pin === 'its root' ? chain.root : chainOf().root);
}

async function refusalsOfChain({ x5c, keys }: TestChain, root: TestChain['root']): Promise<string[]> {
  const [, payload = ''] = (await google.mint()).split('.');
  const input = `${toBase64Url(toUtf8(JSON.stringify({ alg: 'RS256', typ: 'JWT', x5c })))}.${payload}`;
  const algorithm = keys.leaf.privateKey.algorithm.name === 'ECDSA' ? { name: 'ECDSA', hash: 'SHA-256' } : 'RSASSA-PKCS1-v1_5';
  const signature = new Uint8Array(await crypto.subtle.sign(algorithm, keys.leaf.privateKey, toUtf8(input)));
  const pinned = { ...google.verifier.pinned, roots: [{ fingerprint: root, source: 'a test' }] };
  return google.refusals(`${input}.${toBase64Url(signature)}`, { pinned: [pinned] });
}

test('J11 the chains of these tests are refused for what is wrong with them: a good one is accepted', async () => {
  expect(await refusalsOf({})).toEqual([]);
});

describe('J11 the list of certificates', () => {
  test.each<[string, (x5c: readonly [string, string, string]) => Json]>([
    ['empty', () => []],
    ['the leaf alone', ([leaf]) => [leaf]],
    ['leaf and root', ([leaf, , root]) => [leaf, root]],
    ['leaf and intermediate', ([leaf, middle]) => [leaf, middle]],
    ['the root twice', x5c => [...x5c, x5c[2]]],
    ['the root three times', ([, , root]) => [root, root, root]],
    ['the leaf three times', ([leaf]) => [leaf, leaf, leaf]],
    ['eight certificates', x5c => [...x5c, ...x5c, x5c[0], x5c[1]]],
    ['root first', x5c => x5c.toReversed()],
    ['leaf and intermediate exchanged', ([leaf, middle, root]) => [middle, leaf, root]],
    ['intermediate and root exchanged', ([leaf, middle, root]) => [leaf, root, middle]],
    ['one text of all three', x5c => x5c.join('')],
    ['one PEM text of all three', x5c => [x5c.map(entry => pemOf(entry)).join('')]],
    ['two PEM texts in one entry', ([leaf, middle, root]) => [pemOf(leaf) + pemOf(middle), middle, root]],
    ['no list', ([leaf]) => leaf],
    ['null', () => null],
    ['an object', ([leaf, middle, root]) => ({ 0: leaf, 1: middle, 2: root })],
    ['a number among them', ([leaf, , root]) => [leaf, 7, root]],
    ['null among them', ([leaf, middle]) => [leaf, middle, null]],
    ['a list among them', ([leaf, middle, root]) => [[leaf], middle, root]],
    ['an empty text among them', ([leaf, , root]) => [leaf, '', root]],
    ['bytes that are no certificate', ([leaf, , root]) => [leaf, 'AAAA', root]],
    ['one cut short', ([leaf, middle, root]) => [toBase64(fromBase64(leaf).slice(0, -1)), middle, root]],
    ['bytes behind one', ([leaf, middle, root]) => [leaf, toBase64(Uint8Array.from([...fromBase64(middle), 0])), root]]
  ])('J11 %s', async (_, change) => {
    expect(await google.refusals(await withCertificates(change(chainOf().x5c)))).toEqual(NO_CHAIN);
  });

  test.each<[string, (leaf: string) => string]>([
    ['base64url', leaf => leaf.replaceAll('+', '-').replaceAll('/', '_')],
    ['a blank before it', leaf => ` ${leaf}`],
    ['lines without the PEM’s frame', leaf => (leaf.match(/.{1,64}/g) ?? []).join('\n')],
    ['another frame', leaf => pemOf(leaf).replaceAll('CERTIFICATE', 'X509 CERTIFICATE')],
    ['words before the frame', leaf => `subject=x\n${pemOf(leaf)}`],
    ['words behind the frame', leaf => `${pemOf(leaf)}x`],
    ['a key in the frame', leaf => pemOf(leaf).replaceAll('CERTIFICATE', 'PRIVATE KEY')],
    ['blanks in the lines', leaf => pemOf(leaf).replace('\nMII', '\n MII')],
    ['padding too much', leaf => `${leaf}=`]
  ])('J11 a leaf in a form that no token has: %s', async (_, change) => {
    const [leaf, middle, root] = chainOf().x5c;
    expect(change(leaf)).not.toBe(leaf);
    expect(await google.refusals(await withCertificates([change(leaf), middle, root]))).toEqual(NO_CHAIN);
  });

  test('J11 PEM and DER in one list are two forms of the same certificates: accepted', async () => {
    const [leaf, middle, root] = chainOf().x5c;
    for (const x5c of [[pemOf(leaf), middle, root], [leaf, pemOf(middle), pemOf(root, '\r\n')], [pemOf(leaf, '\r\n'), pemOf(middle), root]]) expect(await google.refusals(await withCertificates(x5c))).toEqual([]);
  });
});

describe('J11 roots', () => {
  test('J11 an attacker’s chain, whose root has the name of ours', async () => {
    expect(await refusalsOfChain(stranger, chainOf().root)).toEqual(NO_CHAIN);
  });
  test('J11 an attacker’s leaf and intermediate before our root', async () => {
    const mixed = { ...stranger, x5c: [stranger.x5c[0], stranger.x5c[1], chainOf().x5c[2]] as const };
    expect(await refusalsOfChain(mixed, chainOf().root)).toEqual(NO_CHAIN);
  });
  test('J11 an attacker’s leaf before our intermediate and root', async () => {
    const mixed = { ...stranger, x5c: [stranger.x5c[0], chainOf().x5c[1], chainOf().x5c[2]] as const };
    expect(await refusalsOfChain(mixed, chainOf().root)).toEqual(NO_CHAIN);
  });
  test('J11 our own certificates, over a token of somebody else’s key', async () => {
    expect(await refusalsOfChain({ ...stranger, x5c: chainOf().x5c }, chainOf().root)).toEqual(['signature']);
  });
  test('J11 a second certificate of our root’s key and name: not the bytes that are pinned', async () => {
    expect(await refusalsOf({ root: { notAfter: new Date('2050-01-01T00:00:00Z') } }, 'ours')).toEqual(NO_CHAIN);
  });
  test('J11 an intermediate that is pinned as a root', async () => {
    const pinned = { ...google.verifier.pinned, roots: [{ fingerprint: digestOf(chainOf().der[1]), source: 'a test' }] };
    expect(await google.refusals(await google.mint({ kind: 'pki' }), { pinned: [pinned] })).toEqual(NO_CHAIN);
  });
  test('J11 no root is pinned, though the key id is', async () => {
    const token = await google.mint({ kind: 'pki', header: { kid: TEST_KEY_ID } });
    expect(await google.refusals(token, { pinned: [{ ...google.verifier.pinned, roots: [] }] })).toEqual(NO_CHAIN);
  });
});

describe('J11 certificates that a pinned root really signed', () => {
  const [before, after] = [new Date(TEST_TIME.getTime() - 1000), new Date(TEST_TIME.getTime() + 1000)];
  test.each<[string, () => TestChainOptions]>([
    ['an expired leaf', () => ({ leaf: { notAfter: before } })],
    ['an expired intermediate', () => ({ middle: { notAfter: before } })],
    ['an expired root', () => ({ root: { notAfter: before } })],
    ['a leaf that is not valid yet', () => ({ leaf: { notBefore: after } })],
    ['an intermediate that is not valid yet', () => ({ middle: { notBefore: after } })],
    ['a root that is not valid yet', () => ({ root: { notBefore: after } })],
    ['a leaf that is an authority', () => ({ leaf: { extensions: [authority()] } })],
    ['an intermediate that is no authority', () => ({ middle: { extensions: [] } })],
    ['a root that is no authority', () => ({ root: { extensions: [] } })],
    ['an intermediate that says it is none', () => ({ middle: { extensions: [new x509.BasicConstraintsExtension(false, undefined, true)] } })],
    ['a leaf of another issuer', () => ({ leaf: { issuer: 'CN=Somebody else' } })],
    ['an intermediate of another issuer', () => ({ middle: { issuer: 'CN=Somebody else' } })],
    ['a leaf for encryption only', () => ({ leaf: { extensions: [new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyEncipherment, true)] } })],
    ['an intermediate whose key signs no certificates', () => ({ middle: { extensions: [authority(), new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true)] } })],
    ['a critical extension that nobody knows', () => ({ leaf: { extensions: [new x509.Extension('1.2.3.4', true, new Uint8Array([5, 0]))] } })],
    ['names that the leaf may not have', () => ({ middle: { extensions: [authority(), new x509.Extension('2.5.29.30', true, new Uint8Array([0x30, 0]))] } })]
  ])('J11 %s', async (_, options) => {
    expect(await refusalsOf(options())).toEqual(NO_CHAIN);
  });

  test('J11 a leaf with an elliptic curve’s key, whose signature holds', async () => {
    const leaf = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
    expect(await refusalsOf({ keys: { ...chainOf().keys, leaf } })).toEqual(NO_CHAIN);
  });

  test('J11 a leaf with a short key, and one whose exponent is 3', async () => {
    const generate = (modulusLength: number, publicExponent: Uint8Array<ArrayBuffer>): Promise<CryptoKeyPair> =>
      crypto.subtle.generateKey({ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength, publicExponent }, true, ['sign', 'verify']);
    for (const leaf of [await generate(1024, new Uint8Array([1, 0, 1])), await generate(2048, new Uint8Array([3]))]) {
      expect(await refusalsOf({ keys: { ...chainOf().keys, leaf } })).toEqual(NO_CHAIN);
    }
  });

  test('J11 certificates count at the token’s time, not at ours', async () => {
    expect(await refusalsOf({ leaf: { notBefore: before, notAfter: after } })).toEqual([]);
    const token = await google.mint({ kind: 'pki' });
    expect(await google.refusals(token, { now: new Date('2090-01-01T00:00:00Z'), expect: { freshness: { kind: 'report' } } })).toEqual([]);
  });
});
