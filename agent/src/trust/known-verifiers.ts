import { X509Certificate } from 'node:crypto';
import { AppError, VERIFIER_ADDRESSES, digestOf, type Digest, type PinnedVerifier, type PublishingVerifier } from '@cloister/protocol';

const SOURCES: Readonly<Record<PublishingVerifier, string>> = {
  google: 'built into cloister: Google Cloud, “Confidential Space: attestation token claims”',
  intel: 'built into cloister: Intel Trust Authority, “Verify a token”'
};

const ROOT_SOURCE = 'built into cloister: the root that Google publishes beside its tokens, by the fingerprint that independent verifiers pin';

/** A verifier as this program knows it, without its keys: those come with `cloister trust update` or from a file. */
export function knownVerifier(kind: PublishingVerifier): PinnedVerifier {
  const { issuer, root } = VERIFIER_ADDRESSES[kind];
  return { issuer, kind, jwks: [], roots: root === undefined ? [] : [{ fingerprint: root, source: ROOT_SOURCE }], source: SOURCES[kind] };
}

/** A certificate that somebody wants to end chains at. */
export interface RootCertificate {
  /** SHA-256 of its DER. */
  readonly fingerprint: Digest;
  readonly subject: string;
  readonly validTo: string;
}

/** Of one certificate in PEM or DER. @throws AppError usage where it is none, more than one, or no authority */
export function fingerprintOfRoot(bytes: Uint8Array, name: string): RootCertificate {
  const text = Buffer.from(bytes).toString('latin1');
  const isPem = text.trimStart().startsWith('-----BEGIN CERTIFICATE-----');
  if (isPem && text.split('-----BEGIN ').length !== 2) throw refused(name, 'holds more than one certificate');
  const certificate = parseCertificate(bytes, name);
  if (!isPem && certificate.raw.length !== bytes.length) throw refused(name, 'has bytes that belong to no certificate');
  if (!certificate.ca) throw refused(name, 'is not the certificate of an authority');
  if (!certificate.checkIssued(certificate) || !certificate.verify(certificate.publicKey)) throw refused(name, 'is not a root: another authority signed it');
  return { fingerprint: digestOf(certificate.raw), subject: certificate.subject.replaceAll('\n', ', '), validTo: new Date(certificate.validTo).toISOString() };
}

function parseCertificate(bytes: Uint8Array, name: string): X509Certificate {
  try {
    return new X509Certificate(bytes);
  } catch (cause) {
    throw new AppError('usage', `${name} is no certificate`, { cause, hint: 'Give one root certificate, in PEM or DER.' });
  }
}

const refused = (name: string, why: string): AppError => new AppError('usage', `${name} ${why}`, { hint: 'Give one root certificate, in PEM or DER.' });
