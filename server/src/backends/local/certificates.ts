// tsyringe, below @peculiar/x509, refuses to load without it.
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import type { webcrypto } from 'node:crypto';
import { toBase64 } from '@cloister/protocol';

const ALGORITHM = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };

export async function generateRsaKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

/**
 * Leaf, intermediate and root over fresh keys, in the order of `x5c`, each as padded base64 of its DER. The keys of
 * root and intermediate are dropped here: nobody needs to sign a second leaf, and nobody can.
 */
export async function issueChain(leaf: webcrypto.CryptoKeyPair, now: Date): Promise<[string, string, string]> {
  const rootKeys = await generateRsaKeys();
  const intermediateKeys = await generateRsaKeys();
  const root = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: 'CN=Cloister Simulator Root, O=Cloister (simulated)',
      keys: rootKeys,
      ...validity(now, 30),
      signingAlgorithm: ALGORITHM,
      extensions: await extensions({ publicKey: rootKeys.publicKey, ca: true })
    },
    crypto
  );
  const intermediate = await issue('CN=Cloister Simulator Intermediate, O=Cloister (simulated)', intermediateKeys.publicKey, {
    issuer: root.subject,
    signingKey: rootKeys.privateKey,
    issuerKey: rootKeys.publicKey,
    ca: true,
    ...validity(now, 30)
  });
  const end = await issue('CN=Cloister Simulator Attestation, O=Cloister (simulated)', leaf.publicKey, {
    issuer: intermediate.subject,
    signingKey: intermediateKeys.privateKey,
    issuerKey: intermediateKeys.publicKey,
    ca: false,
    ...validity(now, 10)
  });
  return [base64Der(end), base64Der(intermediate), base64Der(root)];
}

interface Issuance {
  readonly issuer: string;
  readonly signingKey: webcrypto.CryptoKey;
  readonly issuerKey: webcrypto.CryptoKey;
  readonly ca: boolean;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

async function issue(subject: string, publicKey: webcrypto.CryptoKey, by: Issuance): Promise<x509.X509Certificate> {
  return x509.X509CertificateGenerator.create(
    {
      subject,
      issuer: by.issuer,
      publicKey,
      signingKey: by.signingKey,
      notBefore: by.notBefore,
      notAfter: by.notAfter,
      signingAlgorithm: ALGORITHM,
      extensions: await extensions({ publicKey, ca: by.ca, issuerKey: by.issuerKey })
    },
    crypto
  );
}

interface ExtensionInput {
  readonly publicKey: webcrypto.CryptoKey;
  readonly ca: boolean;
  readonly issuerKey?: webcrypto.CryptoKey;
}

async function extensions({ publicKey, ca, issuerKey }: ExtensionInput): Promise<x509.Extension[]> {
  const usage = ca ? x509.KeyUsageFlags.keyCertSign : x509.KeyUsageFlags.digitalSignature;
  return [
    new x509.BasicConstraintsExtension(ca, undefined, true),
    new x509.KeyUsagesExtension(usage, true),
    await x509.SubjectKeyIdentifierExtension.create(publicKey, false, crypto),
    ...(issuerKey === undefined ? [] : [await x509.AuthorityKeyIdentifierExtension.create(issuerKey, false, crypto)])
  ];
}

/** From a minute ago, so that a token made at once verifies on a neighbour whose clock lags a little. */
function validity(now: Date, years: number): { notBefore: Date; notAfter: Date } {
  const notAfter = new Date(now);
  notAfter.setUTCFullYear(now.getUTCFullYear() + years);
  return { notBefore: new Date(now.getTime() - 60_000), notAfter };
}

function base64Der(certificate: x509.X509Certificate): string {
  return toBase64(new Uint8Array(certificate.rawData));
}
