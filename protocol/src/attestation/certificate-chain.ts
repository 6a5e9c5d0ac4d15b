import type { Certificate } from '@peculiar/asn1-x509';
import { AppError } from '../errors.js';
import { fromBase64 } from '../bytes/base64url.js';
import { digestOf } from '../bytes/digest.js';
import type { Json } from '../bytes/json.js';
import type { Digest } from '../objects/primitives.js';
import type { RsaPublicKey } from './rsa.js';

const CHAIN_LENGTH = 3;
const PEM = /^-----BEGIN CERTIFICATE-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END CERTIFICATE-----\r?\n?$/;

/** ASN.1 by decorated classes: no registry of its own and nothing global, since a page shares its globals with strangers. */
type Asn1 = typeof import('@peculiar/asn1-x509') & Pick<typeof import('@peculiar/asn1-schema'), 'AsnConvert'>;

/**
 * The leaf's public key of a PKI token, its chain verified at a time: exactly leaf, intermediate, root; the root
 * equal to a pinned one by SHA-256 of its DER; signatures, names, validity, CA flags, path lengths, key usage and critical
 * extensions (RFC 5280 section 6.1, as far as three certificates need it). An extended key usage restricts nothing here:
 * none is defined for tokens, and Google's own verification takes any. Entries are base64 DER by the documents and PEM text
 * in captured tokens.
 * @throws AppError attestation_rejected
 */
export async function verifyChain(x5c: Json | undefined, roots: readonly Digest[], time: Date): Promise<RsaPublicKey> {
  // Loaded only where a token carries a chain.
  const asn1: Asn1 = { ...(await import('@peculiar/asn1-x509')), AsnConvert: (await import('@peculiar/asn1-schema')).AsnConvert };
  const der = readEntries(x5c);
  const [leaf, intermediate, root] = der.map(bytes => parse(() => asn1.AsnConvert.parse(bytes, asn1.Certificate)));
  const [leafBytes, intermediateBytes, rootBytes] = der;
  if (leaf === undefined || intermediate === undefined || root === undefined || leafBytes === undefined || intermediateBytes === undefined || rootBytes === undefined) {
    throw rejected('not three certificates');
  }
  if (!roots.includes(digestOf(rootBytes))) throw rejected('the root is not a pinned one');
  for (const certificate of [leaf, intermediate, root]) {
    requireValidAt(certificate, time);
    requireKnownExtensions(certificate, asn1);
  }
  requireExact(leaf, leafBytes, asn1);
  requireExact(intermediate, intermediateBytes, asn1);
  requireAuthority(intermediate, 0, asn1);
  requireAuthority(root, 1, asn1);
  if (basicConstraintsOf(leaf, asn1)?.cA === true) throw rejected('the leaf is a certificate authority');
  requireUsage(leaf, asn1.KeyUsageFlags.digitalSignature, asn1);
  await requireIssued(leaf, intermediate, asn1);
  await requireIssued(intermediate, root, asn1);
  await requireIssued(root, root, asn1);
  const { n, e } = await crypto.subtle.exportKey('jwk', await importKey(leaf, 'SHA-256', asn1));
  if (n === undefined || e === undefined) throw rejected('the leaf’s key is not RSA');
  return { n, e };
}

function readEntries(x5c: Json | undefined): Uint8Array<ArrayBuffer>[] {
  if (!Array.isArray(x5c) || x5c.length !== CHAIN_LENGTH) throw rejected(`x5c has not ${CHAIN_LENGTH} certificates`);
  return x5c.map(entry => {
    if (typeof entry !== 'string') throw rejected('an x5c entry is not text');
    const pem = PEM.exec(entry)?.[1]?.replaceAll(/[\r\n]/g, '');
    return fromBase64(pem ?? entry);
  });
}

const SEQUENCE = 0x30;
const BIT_STRING = 0x03;

/**
 * The parser reads BER and stops where the certificate ends. What is around the signed part must be the one DER encoding of
 * it: else one certificate has many texts (bytes behind it, other lengths, parameters or unused bits that nobody signed).
 */
function requireExact({ tbsCertificate, tbsCertificateRaw, signatureValue }: Certificate, bytes: Uint8Array, { AsnConvert }: Asn1): void {
  if (tbsCertificateRaw === undefined) throw rejected('a certificate has no bytes that were signed');
  const algorithm = AsnConvert.serialize(tbsCertificate.signature);
  const exact = derOf(SEQUENCE, tbsCertificateRaw, algorithm, derOf(BIT_STRING, new Uint8Array([0]), signatureValue));
  if (digestOf(exact) !== digestOf(bytes)) throw rejected('a certificate is not in the one form that DER allows');
}

function derOf(tag: number, ...parts: readonly (ArrayBuffer | Uint8Array)[]): Uint8Array {
  const content = parts.flatMap(part => [...new Uint8Array(part)]);
  const length: number[] = [];
  for (let left = content.length; left > 0; left >>= 8) length.unshift(left & 0xff);
  return Uint8Array.from([tag, ...(content.length < 0x80 ? [content.length] : [0x80 + length.length, ...length]), ...content]);
}

function requireValidAt({ tbsCertificate: { validity } }: Certificate, time: Date): void {
  if (!(time >= validity.notBefore.getTime() && time <= validity.notAfter.getTime())) throw rejected('a certificate was not valid when the token was issued');
}

/** A critical extension that is not understood may forbid the very use it is put to (RFC 5280 section 4.2). */
function requireKnownExtensions({ tbsCertificate }: Certificate, { id_ce_basicConstraints, id_ce_keyUsage, id_ce_extKeyUsage }: Asn1): void {
  const known: readonly string[] = [id_ce_basicConstraints, id_ce_keyUsage, id_ce_extKeyUsage];
  const { extensions } = tbsCertificate;
  if (extensions === undefined) return;
  if (extensions.some(({ critical, extnID }) => critical && !known.includes(extnID))) throw rejected('a certificate has a critical extension that is not known');
  if (new Set(extensions.map(({ extnID }) => extnID)).size !== extensions.length) throw rejected('a certificate has one extension twice');
}

/** @param below how many authorities may follow this one on the way to the leaf */
function requireAuthority(certificate: Certificate, below: number, asn1: Asn1): void {
  const constraints = basicConstraintsOf(certificate, asn1);
  if (constraints?.cA !== true) throw rejected('an issuer in the chain is no certificate authority');
  if (constraints.pathLenConstraint !== undefined && constraints.pathLenConstraint < below) throw rejected('an issuer in the chain may not have so many authorities below it');
  requireUsage(certificate, asn1.KeyUsageFlags.keyCertSign, asn1);
}

function requireUsage(certificate: Certificate, flag: number, { AsnConvert, KeyUsage, id_ce_keyUsage }: Asn1): void {
  const value = extensionOf(certificate, id_ce_keyUsage);
  if (value === undefined) return; // without the extension a key may be used for anything (RFC 5280 section 4.2.1.3)
  const usage = parse(() => AsnConvert.parse(value, KeyUsage));
  if ((usage.toNumber() & flag) === 0) throw rejected('a key in the chain is not for this use');
}

function basicConstraintsOf(certificate: Certificate, { AsnConvert, BasicConstraints, id_ce_basicConstraints }: Asn1): { cA: boolean; pathLenConstraint?: number } | undefined {
  const value = extensionOf(certificate, id_ce_basicConstraints);
  return value === undefined ? undefined : parse(() => AsnConvert.parse(value, BasicConstraints));
}

function extensionOf({ tbsCertificate }: Certificate, id: string): ArrayBuffer | undefined {
  return tbsCertificate.extensions?.find(({ extnID }) => extnID === id)?.extnValue.buffer;
}

/** PKCS #1 v1.5 signatures by their object identifiers (RFC 8017 appendix A.2.4), with WebCrypto's name of the hash. */
const HASHES: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113549.1.1.11', 'SHA-256'],
  ['1.2.840.113549.1.1.12', 'SHA-384'],
  ['1.2.840.113549.1.1.13', 'SHA-512']
]);

async function requireIssued(subject: Certificate, issuer: Certificate, asn1: Asn1): Promise<void> {
  const { tbsCertificate, tbsCertificateRaw, signatureAlgorithm, signatureValue } = subject;
  const names = [tbsCertificate.issuer, issuer.tbsCertificate.subject].map(name => digestOf(new Uint8Array(asn1.AsnConvert.serialize(name))));
  if (names[0] !== names[1]) throw rejected('names in the chain do not follow one another');
  const hash = HASHES.get(signatureAlgorithm.algorithm);
  // Both places must name the same algorithm (RFC 5280 section 4.1.1.2), of which the inner alone is signed.
  if (hash === undefined || signatureAlgorithm.algorithm !== tbsCertificate.signature.algorithm) throw rejected('a certificate is not signed by RSA with SHA-2');
  if (tbsCertificateRaw === undefined) throw rejected('a certificate has no bytes that were signed');
  const key = await importKey(issuer, hash, asn1);
  if (!(await crypto.subtle.verify(RSA, key, signatureValue, tbsCertificateRaw))) throw rejected('a signature in the chain does not hold');
}

const RSA = 'RSASSA-PKCS1-v1_5';

async function importKey({ tbsCertificate }: Certificate, hash: string, { AsnConvert }: Asn1): Promise<CryptoKey> {
  const spki = AsnConvert.serialize(tbsCertificate.subjectPublicKeyInfo);
  const key = await crypto.subtle.importKey('spki', spki, { name: RSA, hash }, true, ['verify']).catch((cause: unknown) => {
    throw new AppError('attestation_rejected', 'a key in the chain is not RSA', { cause });
  });
  const bits = 'modulusLength' in key.algorithm ? Number(key.algorithm.modulusLength) : 0;
  if (bits < 2048) throw rejected('a key in the chain has less than 2048 bits');
  const exponent = 'publicExponent' in key.algorithm ? key.algorithm.publicExponent : undefined;
  if (!(exponent instanceof Uint8Array) || exponent.join() !== '1,0,1') throw rejected('a key in the chain has another exponent than 65537');
  return key;
}

function parse<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new AppError('attestation_rejected', 'an x5c entry is not a certificate', { cause });
  }
}

const rejected = (detail: string): AppError => new AppError('attestation_rejected', detail);
