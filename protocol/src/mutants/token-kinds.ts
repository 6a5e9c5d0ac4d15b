import { fromBase64Url } from '../bytes/base64url.js';
import { parseJson, type Json } from '../bytes/json.js';
import type { AppraisalPolicy, PinnedVerifier } from '../objects/trust.js';
import { createTestRelyingParty, TEST_NONCE, TEST_TIME, type MintOptions, type TestRelyingParty, type TestTokenKey } from '../testing/index.js';

/** Every kind of token that there is a verifier for. */
export const TOKEN_KINDS = ['google OIDC', 'google PKI', 'intel RS256', 'intel PS384', 'simulator OIDC', 'simulator PKI'] as const;
export type TokenKind = (typeof TOKEN_KINDS)[number];

/** One valid token, taken apart, and whoever demands of it all that can be demanded. */
export interface TokenSubject {
  readonly kind: TokenKind;
  readonly token: string;
  readonly header: Json;
  readonly claims: Json;
  readonly sign: (header: string, payload: string) => Promise<string>;
  readonly isAccepted: (token: string) => Promise<boolean>;
  readonly party: TestRelyingParty;
}

const SIGNER = 'a'.repeat(64);
const ACCOUNT = 'runner@test.iam.gserviceaccount.com';

/** Nothing is left to "any". */
const STRICT = {
  imageSigners: [SIGNER],
  attributes: ['LATEST', 'STABLE', 'USABLE'],
  tcb: ['UpToDate'],
  gpu: 'required',
  projects: ['test'],
  zones: ['test-zone'],
  serviceAccounts: [ACCOUNT],
  command: ['node', 'runner.mjs'],
  args: ['node', 'runner.mjs', '--once'],
  envOverrides: ['CLOISTER_JOB'],
  env: ['CLOISTER_JOB', 'HOSTNAME', 'PATH'],
  restart: ['Never'],
  monitoring: false
} satisfies Partial<AppraisalPolicy>;

const FULL: Partial<MintOptions> = {
  nonces: [TEST_NONCE, 'nonce-of-somebody-else'],
  envOverride: { CLOISTER_JOB: 'job' },
  paths: {
    google_service_accounts: [ACCOUNT],
    'submods.container.cmd_override': ['node', 'runner.mjs'],
    'submods.container.args': ['node', 'runner.mjs', '--once'],
    'submods.container.env': { CLOISTER_JOB: 'job', HOSTNAME: 'job-1', PATH: '/usr/bin' },
    'submods.container.image_signatures': [{ key_id: SIGNER, signature: 'TUVVQ0lR', signature_algorithm: 'ECDSA_P256_SHA256' }],
    'submods.gce.zone': 'test-zone',
    'submods.nvidia_gpu': { cc_mode: 'ON', cc_feature: 'SPT', gpus: [{ hwmodel: 'GCP_NVIDIA_H100', driver_version: '595.58.03', vbios_version: '96.00.CF.00.01', ueid: '5340650110430081' }] }
  }
};

const HARDWARE: Readonly<Record<PinnedVerifier['kind'], string>> = { google: 'GCP_INTEL_TDX', intel: 'INTEL_TDX', simulator: 'SIMULATED' };

/** The tokens of one verifier, of each kind that it mints. */
export async function createTokenSubjects(kind: PinnedVerifier['kind']): Promise<TokenSubject[]> {
  const party = await createTestRelyingParty({ kind });
  const policy = { ...STRICT, hardware: [HARDWARE[kind]] };
  const isAccepted = async (token: string): Promise<boolean> => (await party.refusals(token, { policy, now: new Date(TEST_TIME.getTime() + 10_000) })).length === 0;
  return Promise.all(
    TOKEN_KINDS.filter(name => name.startsWith(kind)).map(async name => {
      const pki = name.endsWith('PKI');
      const pss = name.endsWith('PS384');
      const key: TestTokenKey = pki ? 'leaf' : pss ? 'pss' : 'oidc';
      const token = await party.mint({ ...FULL, kind: pki ? 'pki' : 'oidc', algorithm: pss ? 'PS384' : 'RS256' });
      const [header, claims] = token.split('.').slice(0, 2).map(part => parseJson(fromBase64Url(part)));
      if (header === undefined || claims === undefined) throw new Error('a token without header or claims');
      return { kind: name, token, header, claims, party, isAccepted, sign: (head, payload) => party.verifier.sign({ header: head, payload }, key) };
    })
  );
}
