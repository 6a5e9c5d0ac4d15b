import type { Extension } from '@peculiar/x509';
import { toBase64 } from '../bytes/base64url.js';
import { digestOf } from '../bytes/digest.js';
import type { Digest } from '../objects/primitives.js';

const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]), modulusLength: 2048 };

/** Pairs of keys of a chain. A leaf need not be RSA: that is one of the things to be refused. */
export interface TestChainKeys {
  readonly root: CryptoKeyPair;
  readonly middle: CryptoKeyPair;
  readonly leaf: CryptoKeyPair;
}

/** What differs in one certificate from a good one. */
export interface TestCertificate {
  readonly extensions?: readonly Extension[];
  readonly issuer?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

export interface TestChainOptions {
  readonly keys?: TestChainKeys;
  readonly root?: TestCertificate;
  readonly middle?: TestCertificate;
  readonly leaf?: TestCertificate;
}

export interface TestChain {
  /** Leaf, intermediate, root, as DER. */
  readonly der: readonly [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>];
  /** The same as a token's header carries them. */
  readonly x5c: readonly [string, string, string];
  readonly root: Digest;
  readonly keys: TestChainKeys;
}

/** A pair of keys that a test can also take apart. */
export async function createTestRsaKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(RSA, true, ['sign', 'verify']);
}

/** Three fresh pairs of keys. */
export async function createTestChainKeys(): Promise<TestChainKeys> {
  const [root, middle, leaf] = await Promise.all([createTestRsaKeys(), createTestRsaKeys(), createTestRsaKeys()]);
  return { root, middle, leaf };
}

/** The names that every chain has: a root counts by its bytes, and never by its name. */
const NAMES = { root: 'CN=Test root', middle: 'CN=Test intermediate', leaf: 'CN=Test leaf' };

/** Leaf, intermediate and self-signed root (RFC 5280), as a PKI token carries them; really signed, whatever else is wrong with them. */
export async function createTestChain(options: TestChainOptions = {}): Promise<TestChain> {
  await import('reflect-metadata');
  const { BasicConstraintsExtension, X509CertificateGenerator } = await import('@peculiar/x509');
  const keys = options.keys ?? (await createTestChainKeys());
  const authority = [new BasicConstraintsExtension(true, undefined, true)];
  const common = (certificate: TestCertificate | undefined, extensions: readonly Extension[]): { notBefore: Date; notAfter: Date; signingAlgorithm: typeof RSA; extensions: Extension[] } => ({
    notBefore: certificate?.notBefore ?? new Date('2020-01-01T00:00:00Z'),
    notAfter: certificate?.notAfter ?? new Date('2049-01-01T00:00:00Z'),
    signingAlgorithm: RSA,
    extensions: [...(certificate?.extensions ?? extensions)]
  });
  const root = await X509CertificateGenerator.createSelfSigned({ ...common(options.root, authority), serialNumber: '01', name: NAMES.root, keys: keys.root });
  const middle = await X509CertificateGenerator.create({
    ...common(options.middle, authority), serialNumber: '02', subject: NAMES.middle, issuer: options.middle?.issuer ?? NAMES.root, publicKey: keys.middle.publicKey, signingKey: keys.root.privateKey
  });
  const leaf = await X509CertificateGenerator.create({
    ...common(options.leaf, []), serialNumber: '03', subject: NAMES.leaf, issuer: options.leaf?.issuer ?? NAMES.middle, publicKey: keys.leaf.publicKey, signingKey: keys.middle.privateKey
  });
  const [leafBytes, middleBytes, rootBytes] = [new Uint8Array(leaf.rawData), new Uint8Array(middle.rawData), new Uint8Array(root.rawData)];
  return { der: [leafBytes, middleBytes, rootBytes], x5c: [toBase64(leafBytes), toBase64(middleBytes), toBase64(rootBytes)], root: digestOf(rootBytes), keys };
}

/** A certificate as PEM text, as captured tokens have them. */
export function pemOf(base64: string, lineEnd = '\n'): string {
  return ['-----BEGIN CERTIFICATE-----', ...(base64.match(/.{1,64}/g) ?? []), '-----END CERTIFICATE-----', ''].join(lineEnd);
}
