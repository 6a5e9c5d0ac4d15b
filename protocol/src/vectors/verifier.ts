import { CompactSign } from 'jose';
import { toBase64 } from '../bytes/base64url.js';
import { digestOf } from '../bytes/digest.js';
import { jcs } from '../bytes/jcs.js';
import type { Json } from '../bytes/json.js';
import { toUtf8 } from '../bytes/text.js';
import type { Digest } from '../objects/primitives.js';
import { PinnedVerifier } from '../objects/trust.js';
import type { FixtureSource, RsaPair } from './fixtures.js';

export interface Mint {
  readonly issuer: string;
  readonly hardware: string;
  readonly audience: string;
  readonly nonces: readonly string[];
  readonly image: Digest;
  readonly instance: string;
  readonly issuedAt: Date;
  /** Replaces claims; `undefined` removes one. */
  readonly claims?: Readonly<Record<string, Json | undefined>>;
  readonly submods?: Readonly<Record<string, Readonly<Record<string, Json | undefined>>>>;
  readonly header?: Readonly<Record<string, Json>>;
  readonly kind?: 'oidc' | 'pki' | 'foreign-pki' | 'foreign-oidc';
}

/** Test verifiers with fixed keys: one signs as `kid` "test-1", the other is pinned by nobody. */
export interface VectorVerifier {
  readonly pinned: (issuer: string, kind: PinnedVerifier['kind']) => PinnedVerifier;
  readonly mint: (mint: Mint) => Promise<string>;
  readonly foreignJwk: Json;
  readonly x5c: readonly string[];
}

const KID = 'test-1';

export async function createVectorVerifier(source: FixtureSource): Promise<VectorVerifier> {
  const own = await source.rsa('verifier');
  const foreign = await source.rsa('foreign verifier');
  const leaf = await source.rsa('pki leaf');
  const chain = await createChain(source, 'pki root');
  const foreignChain = await createChain(source, 'foreign pki root');
  const jwk = (pair: RsaPair): { kty: 'RSA'; kid: string; alg: 'RS256'; use: 'sig'; n: string; e: 'AQAB' } => ({ kty: 'RSA', kid: KID, alg: 'RS256', use: 'sig', n: pair.n, e: 'AQAB' });
  return {
    pinned: (issuer, kind) =>
      PinnedVerifier.parse({ issuer, kind, jwks: [{ seen: '2026-06-01T00:00:00.000Z', source: 'test keys of the vectors', keys: [jwk(own)] }], roots: [{ fingerprint: chain.root, source: 'test keys of the vectors' }], source: 'test keys of the vectors' }),
    mint: async mint => {
      switch (mint.kind ?? 'oidc') {
        case 'oidc':
          return sign(mint, own, { kid: KID });
        case 'foreign-oidc':
          return sign(mint, foreign, { kid: KID });
        case 'pki':
          return sign(mint, leaf, { x5c: [...chain.x5c] });
        case 'foreign-pki':
          return sign(mint, leaf, { x5c: [...foreignChain.x5c] });
      }
    },
    foreignJwk: jwk(foreign),
    x5c: chain.x5c
  };
}

/** RSA by PKCS #1 v1.5 is deterministic, so equal claims make equal tokens. */
async function sign(mint: Mint, pair: RsaPair, header: Readonly<Record<string, Json>>): Promise<string> {
  return new CompactSign(toUtf8(jcs(claimsOf(mint))))
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', ...header, ...mint.header })
    .sign(pair.privateKey);
}

const defined = (members: Readonly<Record<string, Json | undefined>>): Record<string, Json> =>
  Object.fromEntries(Object.entries(members).flatMap(([key, value]): [string, Json][] => (value === undefined ? [] : [[key, value]])));

const GOOGLE_TCB = { gcp_attester_tcb_status: 'UpToDate', gcp_attester_tcb_date: '2026-01-01T00:00:00Z' };

/** What tokens of Intel's hardware state of its firmware: Google's, and Intel Trust Authority's. */
const TDX_CLAIMS: Readonly<Record<string, Readonly<Record<string, Json>>>> = {
  GCP_INTEL_TDX: { attester_tcb: ['INTEL'], tdx: GOOGLE_TCB },
  INTEL_TDX: { tdx: { ...GOOGLE_TCB, attester_tcb_status: 'UpToDate', attester_tcb_date: '2026-01-01T00:00:00Z' } }
};

/** Claims in the shape of Confidential Space's tokens. */
function claimsOf(mint: Mint): Record<string, Json> {
  const iat = Math.floor(mint.issuedAt.getTime() / 1000);
  const [only] = mint.nonces;
  return defined({
    aud: mint.audience,
    iss: mint.issuer,
    iat,
    nbf: iat,
    exp: iat + 3600,
    sub: `https://www.googleapis.com/compute/v1/projects/test/zones/test/instances/${mint.instance}`,
    eat_nonce: mint.nonces.length === 1 && only !== undefined ? only : [...mint.nonces],
    secboot: true,
    oemid: 11129,
    hwmodel: mint.hardware,
    ...TDX_CLAIMS[mint.hardware],
    swname: 'CONFIDENTIAL_SPACE',
    swversion: ['260800'],
    dbgstat: 'disabled-since-boot',
    google_service_accounts: [],
    submods: submodsOf(mint),
    ...mint.claims
  });
}

function submodsOf({ image, instance, submods = {} }: Mint): Json {
  return {
    confidential_space: defined({ monitoring_enabled: { memory: false }, support_attributes: ['LATEST', 'STABLE', 'USABLE'], ...submods['confidential_space'] }),
    container: defined({ image_reference: `registry.test/runner@${image}`, image_digest: image, image_id: image, restart_policy: 'Never', args: ['node', 'runner.mjs'], env: { PATH: '/usr/bin' }, ...submods['container'] }),
    gce: defined({ zone: 'test', project_id: 'test', project_number: '1', instance_name: instance, instance_id: '1', ...submods['gce'] }),
    ...(submods['nvidia_gpu'] === undefined ? {} : { nvidia_gpu: defined(submods['nvidia_gpu']) })
  };
}

const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };

/** Leaf, intermediate, root (RFC 5280), the same bytes every time. */
async function createChain(source: FixtureSource, rootName: string): Promise<{ root: Digest; x5c: readonly string[] }> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const [rootKeys, middleKeys, leafKeys] = [await source.rsa(rootName), await source.rsa('pki intermediate'), await source.rsa('pki leaf')];
  const validity = { notBefore: new Date('2020-01-01T00:00:00Z'), notAfter: new Date('2049-01-01T00:00:00Z'), signingAlgorithm: RSA };
  const authority = [new x509.BasicConstraintsExtension(true, undefined, true)];
  // Equal names for both roots: a root counts by its bytes and never by its name.
  const root = await x509.X509CertificateGenerator.createSelfSigned({ ...validity, serialNumber: '01', name: 'CN=Cloister test root', keys: rootKeys, extensions: authority });
  const middle = await x509.X509CertificateGenerator.create({
    ...validity, serialNumber: '02', subject: 'CN=Cloister test intermediate', issuer: root.subject, publicKey: middleKeys.publicKey, signingKey: rootKeys.privateKey, extensions: authority
  });
  const leaf = await x509.X509CertificateGenerator.create({
    ...validity, serialNumber: '03', subject: 'CN=Cloister test leaf', issuer: middle.subject, publicKey: leafKeys.publicKey, signingKey: middleKeys.privateKey
  });
  return { root: digestOf(new Uint8Array(root.rawData)), x5c: [leaf, middle, root].map(certificate => toBase64(new Uint8Array(certificate.rawData))) };
}
