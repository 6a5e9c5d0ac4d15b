import type { X509Certificate } from '@peculiar/x509';
import { AppError } from '../errors.js';
import { fromBase64 } from '../bytes/base64url.js';
import { digestOf } from '../bytes/digest.js';
import type { Json } from '../bytes/json.js';
import type { Digest } from '../objects/primitives.js';

const CHAIN_LENGTH = 3;
const PEM = /^-----BEGIN CERTIFICATE-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END CERTIFICATE-----\r?\n?$/;

/**
 * The leaf's public key of a PKI token, its chain verified at a time: exactly leaf, intermediate, root; the root
 * equal to a pinned one by SHA-256 of its DER; signatures, names, validity, CA flags (RFC 5280 section 6.1, as far
 * as three certificates need it). Entries are base64 DER by the documents and PEM text in captured tokens.
 * @throws AppError attestation_rejected
 */
export async function verifyChain(x5c: Json | undefined, roots: readonly Digest[], time: Date): Promise<CryptoKey> {
  // Loaded only where a token carries a chain; tsyringe, which it builds on, wants the polyfill first.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const der = readEntries(x5c);
  const [leaf, intermediate, root] = der.map(bytes => parse(() => new x509.X509Certificate(bytes)));
  const rootBytes = der[2];
  if (leaf === undefined || intermediate === undefined || root === undefined || rootBytes === undefined) {
    throw rejected('not three certificates');
  }
  if (!roots.includes(digestOf(rootBytes))) throw rejected('the root is not a pinned one');
  for (const certificate of [leaf, intermediate, root]) requireValidAt(certificate, time);
  for (const authority of [intermediate, root]) {
    const constraints = authority.getExtension(x509.BasicConstraintsExtension);
    if (constraints?.ca !== true) throw rejected('an issuer in the chain is no certificate authority');
  }
  if (leaf.getExtension(x509.BasicConstraintsExtension)?.ca === true) throw rejected('the leaf is a certificate authority');
  await requireIssued(leaf, intermediate);
  await requireIssued(intermediate, root);
  await requireIssued(root, root);
  return exportKey(leaf);
}

function readEntries(x5c: Json | undefined): Uint8Array<ArrayBuffer>[] {
  if (!Array.isArray(x5c) || x5c.length !== CHAIN_LENGTH) throw rejected(`x5c has not ${CHAIN_LENGTH} certificates`);
  return x5c.map(entry => {
    if (typeof entry !== 'string') throw rejected('an x5c entry is not text');
    const pem = PEM.exec(entry)?.[1]?.replaceAll(/[\r\n]/g, '');
    return fromBase64(pem ?? entry);
  });
}

function requireValidAt(certificate: X509Certificate, time: Date): void {
  if (!(time >= certificate.notBefore && time <= certificate.notAfter)) throw rejected('a certificate was not valid when the token was issued');
}

async function requireIssued(subject: X509Certificate, issuer: X509Certificate): Promise<void> {
  if (subject.issuer !== issuer.subject) throw rejected('names in the chain do not follow one another');
  const signed = await subject.verify({ publicKey: issuer.publicKey, signatureOnly: true }).catch(() => false);
  if (!signed) throw rejected('a signature in the chain does not hold');
}

async function exportKey(leaf: X509Certificate): Promise<CryptoKey> {
  const { algorithm } = leaf.publicKey;
  const bits = 'modulusLength' in algorithm ? Number(algorithm.modulusLength) : 0;
  if (!algorithm.name.startsWith('RSA') || bits < 2048) throw rejected('the leaf key is not RSA of 2048 bits or more');
  return leaf.publicKey.export({ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, ['verify']);
}

function parse<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new AppError('attestation_rejected', 'an x5c entry is not a certificate', { cause });
  }
}

const rejected = (detail: string): AppError => new AppError('attestation_rejected', detail);
