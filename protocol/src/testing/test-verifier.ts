import { CompactSign, exportJWK, generateKeyPair } from 'jose';
import { digestOf } from '../bytes/digest.js';
import { toBase64 } from '../bytes/base64url.js';
import type { Json } from '../bytes/json.js';
import { toUtf8 } from '../bytes/text.js';
import { toTime } from '../objects/ids.js';
import type { Digest } from '../objects/primitives.js';
import { PinnedVerifier, VerifierJwk } from '../objects/trust.js';
import { SIMULATOR_ISSUER } from '../attestation/verify.js';

export interface MintOptions {
  readonly audience: string;
  readonly nonces: readonly string[];
  readonly image: Digest;
  readonly instance: string;
  readonly issuedAt: Date;
  /** Names and values that the operator set at launch. */
  readonly envOverride?: Readonly<Record<string, string>>;
  /** Replaces claims; `undefined` removes one. */
  readonly claims?: Readonly<Record<string, Json | undefined>>;
  readonly header?: Readonly<Record<string, Json>>;
  readonly kind?: 'oidc' | 'pki';
}

export interface TestVerifier {
  readonly pinned: PinnedVerifier;
  readonly mint: (options: MintOptions) => Promise<string>;
}

/**
 * A verifier with keys of its own, for tests: mints tokens in the documented shape of Confidential Space, as a
 * pinned simulator or, for tests of the Google path, as `google` under the issuer and hardware given.
 */
export async function createTestVerifier(
  options: { readonly kind?: PinnedVerifier['kind']; readonly issuer?: string; readonly hardware?: string } = {}
): Promise<TestVerifier> {
  const issuer = options.issuer ?? SIMULATOR_ISSUER;
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  const { n, e } = await exportJWK(publicKey);
  const kid = 'test-key';
  const pki = await createPki();
  const pinned = PinnedVerifier.parse({
    issuer,
    kind: options.kind ?? 'simulator',
    jwks: [{ seen: toTime(new Date(0)), keys: [VerifierJwk.parse({ kty: 'RSA', kid, alg: 'RS256', use: 'sig', n, e })] }],
    roots: [pki.root],
    source: 'made by a test'
  });
  return {
    pinned,
    mint: async mint => {
      const header = mint.kind === 'pki' ? { alg: 'RS256', typ: 'JWT', x5c: [...pki.x5c] } : { alg: 'RS256', kid, typ: 'JWT' };
      const claims = { ...defaultClaims(mint, issuer, options.hardware ?? 'SIMULATED'), ...mint.claims };
      return new CompactSign(toUtf8(JSON.stringify(claims)))
        .setProtectedHeader({ ...header, ...mint.header, alg: 'RS256' })
        .sign(mint.kind === 'pki' ? pki.leafKey : privateKey);
    }
  };
}

function defaultClaims(mint: MintOptions, issuer: string, hardware: string): Record<string, Json> {
  const iat = Math.floor(mint.issuedAt.getTime() / 1000);
  const [only] = mint.nonces;
  return {
    aud: mint.audience,
    iss: issuer,
    iat,
    nbf: iat,
    exp: iat + 3600,
    sub: `https://www.googleapis.com/compute/v1/projects/test/zones/test/instances/${mint.instance}`,
    eat_nonce: mint.nonces.length === 1 && only !== undefined ? only : [...mint.nonces],
    secboot: true,
    oemid: 11129,
    hwmodel: hardware,
    ...(hardware === 'GCP_INTEL_TDX' ? { attester_tcb: ['INTEL'], tdx: { gcp_attester_tcb_status: 'UpToDate', gcp_attester_tcb_date: '2026-01-01T00:00:00Z' } } : {}),
    swname: 'CONFIDENTIAL_SPACE',
    swversion: ['260800'],
    dbgstat: 'disabled-since-boot',
    google_service_accounts: [],
    submods: {
      confidential_space: { monitoring_enabled: { memory: false }, support_attributes: ['LATEST', 'STABLE', 'USABLE'] },
      container: {
        image_reference: `registry.test/runner@${mint.image}`,
        image_digest: mint.image,
        image_id: mint.image,
        restart_policy: 'Never',
        args: ['node', 'runner.mjs'],
        env: { PATH: '/usr/bin', ...mint.envOverride },
        ...(mint.envOverride === undefined ? {} : { env_override: { ...mint.envOverride } })
      },
      gce: { zone: 'test', project_id: 'test', project_number: '1', instance_name: mint.instance, instance_id: '1' }
    }
  };
}

interface Pki {
  readonly root: Digest;
  readonly x5c: readonly string[];
  readonly leafKey: CryptoKey;
}

const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]), modulusLength: 2048 };

async function createPki(): Promise<Pki> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const generate = (): Promise<CryptoKeyPair> => crypto.subtle.generateKey(RSA, true, ['sign', 'verify']);
  const [rootKeys, middleKeys, leafKeys] = [await generate(), await generate(), await generate()];
  const validity = { notBefore: new Date('2020-01-01T00:00:00Z'), notAfter: new Date('2049-01-01T00:00:00Z'), signingAlgorithm: RSA };
  const authority = [new x509.BasicConstraintsExtension(true, undefined, true)];
  const root = await x509.X509CertificateGenerator.createSelfSigned({ ...validity, serialNumber: '01', name: 'CN=Test root', keys: rootKeys, extensions: authority });
  const middle = await x509.X509CertificateGenerator.create({
    ...validity, serialNumber: '02', subject: 'CN=Test intermediate', issuer: root.subject, publicKey: middleKeys.publicKey, signingKey: rootKeys.privateKey, extensions: authority
  });
  const leaf = await x509.X509CertificateGenerator.create({
    ...validity, serialNumber: '03', subject: 'CN=Test leaf', issuer: middle.subject, publicKey: leafKeys.publicKey, signingKey: middleKeys.privateKey
  });
  const der = [leaf, middle, root].map(certificate => new Uint8Array(certificate.rawData));
  return { root: digestOf(new Uint8Array(root.rawData)), x5c: der.map(bytes => toBase64(bytes)), leafKey: leafKeys.privateKey };
}
