import { exportJWK } from 'jose';
import { toBase64Url } from '../bytes/base64url.js';
import type { Json } from '../bytes/json.js';
import { toUtf8 } from '../bytes/text.js';
import { toTime } from '../objects/ids.js';
import type { Digest } from '../objects/primitives.js';
import { PinnedVerifier, VerifierJwk, type TokenAlgorithm } from '../objects/trust.js';
import { GOOGLE_ISSUER, INTEL_ISSUER, SIMULATED_HARDWARE, SIMULATOR_ISSUER, TDX_HARDWARE, VERIFIER_TRAITS } from '../attestation/issuers.js';
import { createTestChain, createTestRsaKeys, type TestChain } from './test-chain.js';

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
  /** Replaces what is at a path of members, such as `submods.gce.zone`; `undefined` removes it. */
  readonly paths?: Readonly<Record<string, Json | undefined>>;
  /** Members of the header; `undefined` removes one. */
  readonly header?: Readonly<Record<string, Json | undefined>>;
  readonly kind?: 'oidc' | 'pki';
  /** Intel signs by either, under one key id. */
  readonly algorithm?: TokenAlgorithm;
}

/** What a verifier signs with: a key for RS256, one for PS384, and the leaf certificate’s. */
export type TestTokenKey = 'oidc' | 'pss' | 'leaf';

export interface TestVerifier {
  readonly pinned: PinnedVerifier;
  readonly mint: (options: MintOptions) => Promise<string>;
  /** Signs any header and payload as they are. */
  readonly sign: (token: { readonly header: string | Uint8Array; readonly payload: string | Uint8Array }, key?: TestTokenKey) => Promise<string>;
  readonly keys: Readonly<Record<TestTokenKey, CryptoKeyPair>>;
  readonly chain: TestChain;
}

/** The key id that all keys of a test verifier share. */
export const TEST_KEY_ID = 'test-key';

const DEFAULTS: Readonly<Record<PinnedVerifier['kind'], { issuer: string; hardware: string; lifetime: number; header: Readonly<Record<string, Json>> }>> = {
  google: { issuer: GOOGLE_ISSUER, hardware: 'GCP_INTEL_TDX', lifetime: 3600, header: {} },
  intel: { issuer: INTEL_ISSUER, hardware: 'INTEL_TDX', lifetime: 300, header: { jku: `${INTEL_ISSUER}/certs` } },
  simulator: { issuer: SIMULATOR_ISSUER, hardware: SIMULATED_HARDWARE, lifetime: 3600, header: {} }
};

export interface TestVerifierOptions {
  readonly kind?: PinnedVerifier['kind'];
  readonly issuer?: string;
  readonly hardware?: string;
  readonly seen?: Date;
}

/**
 * A verifier with keys of its own, for tests: mints tokens in the documented shape of Confidential Space, as a
 * pinned simulator or, for tests of the other paths, as Google or Intel would.
 */
export async function createTestVerifier(options: TestVerifierOptions = {}): Promise<TestVerifier> {
  const kind = options.kind ?? 'simulator';
  const defaults = DEFAULTS[kind];
  const { issuer, hardware } = { ...defaults, ...options };
  const [oidc, chain] = await Promise.all([createTestRsaKeys(), createTestChain()]);
  // Intel has a second key under one id; others have one, with which they could sign both ways.
  const pss = await asPssKeys(kind === 'intel' ? await createTestRsaKeys() : oidc);
  const keys = { oidc, pss, leaf: chain.keys.leaf };
  const { algorithms, pki } = VERIFIER_TRAITS[kind];
  const published = await Promise.all(algorithms.map(async alg => publish(alg === 'PS384' ? pss : oidc, alg)));
  const pinned = PinnedVerifier.parse({
    issuer,
    kind,
    jwks: [{ seen: toTime(options.seen ?? new Date('2026-06-01T00:00:00.000Z')), source: 'test keys', keys: published }],
    roots: pki ? [{ fingerprint: chain.root, source: 'test keys' }] : [],
    source: 'made by a test'
  });
  const sign: TestVerifier['sign'] = (token, key = 'oidc') => signToken(token, keys[key], key);
  return {
    pinned,
    keys,
    chain,
    sign,
    mint: async mint => {
      const algorithm = mint.algorithm ?? 'RS256';
      const by = mint.kind === 'pki' ? { x5c: [...chain.x5c] } : { kid: TEST_KEY_ID };
      const header = { alg: algorithm, typ: 'JWT', ...by, ...defaults.header, ...mint.header };
      const claims = claimsOf(mint, { issuer, hardware, lifetime: defaults.lifetime });
      return sign({ header: JSON.stringify(header), payload: JSON.stringify(claims) }, mint.kind === 'pki' ? 'leaf' : algorithm === 'PS384' ? 'pss' : 'oidc');
    }
  };
}

async function asPssKeys({ privateKey, publicKey }: CryptoKeyPair): Promise<CryptoKeyPair> {
  const [pkcs8, spki] = [await crypto.subtle.exportKey('pkcs8', privateKey), await crypto.subtle.exportKey('spki', publicKey)];
  const algorithm = { name: 'RSA-PSS', hash: 'SHA-384' };
  return { privateKey: await crypto.subtle.importKey('pkcs8', pkcs8, algorithm, true, ['sign']), publicKey: await crypto.subtle.importKey('spki', spki, algorithm, true, ['verify']) };
}

async function publish({ publicKey }: CryptoKeyPair, alg: TokenAlgorithm): Promise<VerifierJwk> {
  const { n, e } = await exportJWK(publicKey);
  return VerifierJwk.parse({ kty: 'RSA', kid: TEST_KEY_ID, alg, use: 'sig', n, e });
}

async function signToken({ header, payload }: Parameters<TestVerifier['sign']>[0], { privateKey }: CryptoKeyPair, key: TestTokenKey): Promise<string> {
  const input = [header, payload].map(part => toBase64Url(typeof part === 'string' ? toUtf8(part) : part)).join('.');
  const algorithm = key === 'pss' ? { name: 'RSA-PSS', saltLength: 48 } : { name: 'RSASSA-PKCS1-v1_5' };
  return `${input}.${toBase64Url(new Uint8Array(await crypto.subtle.sign(algorithm, privateKey, toUtf8(input))))}`;
}

interface VerifierWords {
  readonly issuer: string;
  readonly hardware: string;
  /** In seconds. */
  readonly lifetime: number;
}

function claimsOf(mint: MintOptions, words: VerifierWords): Json {
  const claims: Record<string, Json | undefined> = { ...defaultClaims(mint, words), ...mint.claims };
  const whole: Json = JSON.parse(JSON.stringify(claims)) as Json; // without the removed ones, and nobody else's to change
  for (const [path, value] of Object.entries(mint.paths ?? {})) replaceAt(whole, path.split('.'), value);
  return whole;
}

function replaceAt(json: Json, [name, ...rest]: readonly string[], value: Json | undefined): void {
  if (name === undefined || typeof json !== 'object' || json === null || Array.isArray(json)) throw new Error('the token has no such place');
  const member = json[name];
  if (rest.length > 0) {
    replaceAt((json[name] = member ?? {}), rest, value);
  } else if (value === undefined) {
    Reflect.deleteProperty(json, name);
  } else {
    json[name] = value;
  }
}

/** What tokens of Intel's hardware state of its firmware: Google's, and Intel Trust Authority's. */
function tcbOf(hardware: string): Record<string, Json> {
  if (!TDX_HARDWARE.includes(hardware)) return {};
  const byIntel: Record<string, Json> = hardware === 'INTEL_TDX' ? { attester_tcb_status: 'UpToDate', attester_tcb_date: '2026-01-01T00:00:00Z' } : {};
  return { attester_tcb: ['INTEL'], tdx: { gcp_attester_tcb_status: 'UpToDate', gcp_attester_tcb_date: '2026-01-01T00:00:00Z', ...byIntel } };
}

function defaultClaims(mint: MintOptions, { issuer, hardware, lifetime }: VerifierWords): Record<string, Json> {
  const iat = Math.floor(mint.issuedAt.getTime() / 1000);
  const [only] = mint.nonces;
  return {
    aud: mint.audience,
    iss: issuer,
    iat,
    nbf: iat,
    exp: iat + lifetime,
    sub: `https://www.googleapis.com/compute/v1/projects/test/zones/test/instances/${mint.instance}`,
    eat_profile: 'https://cloud.google.com/confidential-computing/confidential-space/docs/reference/token-claims',
    eat_nonce: mint.nonces.length === 1 && only !== undefined ? only : [...mint.nonces],
    secboot: true,
    oemid: 11129,
    hwmodel: hardware,
    ...tcbOf(hardware),
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
