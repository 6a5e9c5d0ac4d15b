import { toBase64Url } from '../../bytes/base64url.js';
import type { Json } from '../../bytes/json.js';
import { toUtf8 } from '../../bytes/text.js';
import { GOOGLE_ISSUER, INTEL_ISSUER, SIMULATOR_ISSUER } from '../../attestation/issuers.js';
import { ATTESTATION_CHECK_IDS } from '../../attestation/verify.js';
import { createAppraisal } from '../../policy/appraisal.js';
import { RELEASE_AUDIENCE, sessionNonce } from '../../objects/release.js';
import type { PinnedVerifier } from '../../objects/trust.js';
import { toJson, type Draft, type FileDraft } from '../format.js';
import type { VectorRun } from '../run-world.js';
import type { Mint } from '../verifier.js';
import { IMAGE, INSTANCE, NOW, OTHER, type VectorWorld } from '../world.js';

const seconds = Math.floor(NOW.getTime() / 1000);
const AFTER_ISSUER = ATTESTATION_CHECK_IDS.slice(ATTESTATION_CHECK_IDS.indexOf('issuer') + 1);

export const SIMULATED_POLICY = createAppraisal({ verifiers: [SIMULATOR_ISSUER], images: [IMAGE], hardware: ['SIMULATED'], projects: ['test'], envOverrides: ['CLOISTER_JOB'] });
const GOOGLE_POLICY = { ...SIMULATED_POLICY, verifiers: [GOOGLE_ISSUER], hardware: 'any' };
const INTEL_POLICY = { ...GOOGLE_POLICY, verifiers: [INTEL_ISSUER] };

const INTEL = { issuer: INTEL_ISSUER, hardware: 'INTEL_TDX' };
const GPU = { cc_mode: 'ON', cc_feature: 'SPT', gpus: [{ hwmodel: 'GCP_NVIDIA_H100', driver_version: '595.58.03', vbios_version: '96.00.CF.00.01', ueid: '5340650110430081' }] };
const SIGNATURE = { key_id: 'ab'.repeat(32), signature: 'MEUCIQ', signature_algorithm: 'ECDSA_P256_SHA256' };

type Expected = { readonly accepted?: boolean; readonly simulated?: boolean; readonly failed?: readonly string[]; readonly unknown?: readonly string[]; readonly skipped?: readonly string[] };

/** What comes of a token: accepted only where nothing failed, was skipped or is unknown. */
function outcome({ simulated = true, failed = [], unknown = [], skipped = [] }: Expected): { ok: object } {
  return { ok: { accepted: failed.length + unknown.length + skipped.length === 0, simulated, failed, unknown, skipped } };
}

export interface TokenCases {
  readonly nonce: string;
  readonly token: (mint: Partial<Mint>) => Promise<string>;
  readonly verify: (name: string, token: string, expected: Expected, changes?: { readonly expect?: object; readonly now?: string; readonly verifiers?: Json }) => Draft;
}

export function tokenCases(world: VectorWorld, { sessionText }: VectorRun): TokenCases {
  const nonce = sessionNonce(sessionText);
  const base: Mint = { issuer: SIMULATOR_ISSUER, hardware: 'SIMULATED', audience: RELEASE_AUDIENCE, nonces: [nonce], image: IMAGE, instance: INSTANCE, issuedAt: NOW };
  const expect = { audience: RELEASE_AUDIENCE, nonce, policy: SIMULATED_POLICY, freshness: { kind: 'release', issuedAfter: '2026-06-01T12:00:00.000Z' }, instance: INSTANCE };
  return {
    nonce,
    token: mint => world.verifier.mint({ ...base, ...mint }),
    verify: (name, token, expected, changes = {}) => ({
      name,
      operation: 'verifyAttestation',
      input: { token, verifiers: changes.verifiers ?? { $use: 'verifiers' }, expect: { ...expect, ...changes.expect }, now: changes.now ?? '2026-06-01T12:00:01.000Z' },
      expect: outcome(expected)
    })
  };
}

export const sharedVerifiers = ({ verifier }: VectorWorld): object[] => [verifier.pinned(SIMULATOR_ISSUER, 'simulator'), verifier.pinned(GOOGLE_ISSUER, 'google'), verifier.pinned(INTEL_ISSUER, 'intel')];

/** Tokens of the release: OIDC and PKI, simulated and in Google's shape, by test keys. */
export async function attestationFile(world: VectorWorld, run: VectorRun): Promise<FileDraft> {
  const cases = tokenCases(world, run);
  return {
    kind: 'attestation',
    about: 'Attestation tokens in the shape of Google Cloud Confidential Space, signed by TEST KEYS. Every check is asked; a token is accepted only where all pass.',
    specs: ['RFC 7515', 'RFC 7519', 'RFC 9711', 'RFC 5280', 'Google Confidential Space attestation token claims'],
    shared: { verifiers: sharedVerifiers(world) },
    cases: [...(await acceptedCases(cases)), ...(await claimCases(world, cases)), ...(await formCases(world, cases))]
  };
}

async function acceptedCases({ token, verify, nonce }: TokenCases): Promise<Draft[]> {
  const google = { issuer: GOOGLE_ISSUER, hardware: 'GCP_INTEL_TDX' };
  const googleExpect = { expect: { policy: GOOGLE_POLICY } };
  return [
    verify('OIDC, simulated', await token({}), {}),
    verify('PKI, simulated', await token({ kind: 'pki' }), {}),
    verify('OIDC, Intel TDX', await token(google), { simulated: false }, googleExpect),
    verify('PKI, Intel TDX', await token({ ...google, kind: 'pki' }), { simulated: false }, googleExpect),
    verify('OIDC, AMD SEV', await token({ ...google, hardware: 'GCP_AMD_SEV' }), { simulated: false }, googleExpect),
    verify('OIDC, Intel Trust Authority', await token({ ...INTEL, header: { jku: 'https://portal.trustauthority.intel.com/certs' } }), { simulated: false }, { expect: { policy: INTEL_POLICY } }),
    verify('TDX, its status in a list of one', await token({ ...google, claims: { tdx: [{ gcp_attester_tcb_status: 'UpToDate' }] } }), { simulated: false }, googleExpect),
    verify('a GPU in confidential-compute mode', await token({ ...google, submods: { nvidia_gpu: GPU } }), { simulated: false }, { expect: { policy: { ...GOOGLE_POLICY, gpu: 'required' } } }),
    verify('no override of variables, as older tokens say it', await token({ submods: { container: { env_override: null, cmd_override: null } } }), {}),
    verify('a signature of the image by an accepted key', await token({ submods: { container: { image_signatures: [SIGNATURE] } } }), {}, { expect: { policy: { ...SIMULATED_POLICY, imageSigners: [SIGNATURE.key_id] } } }),
    verify('our nonce among several', await token({ nonces: ['another-nonce', nonce] }), {}),
    verify('an override that the policy names', await token({ submods: { container: { env_override: { CLOISTER_JOB: 'x' } } } }), {}),
    verify('an empty override of the command', await token({ submods: { container: { cmd_override: [] } } }), {}),
    verify('a report’s token, twenty years later', await token({}), {}, { expect: { freshness: { kind: 'report' } }, now: '2046-06-01T12:00:00.000Z' })
  ];
}

/** What a token of the simulator may not say, and the checks that object. */
function lies(nonce: string): [string, Partial<Mint>, string[]][] {
  return [
    ['another audience', { audience: 'urn:cloister:report' }, ['audience']],
    ['a list of audiences that holds ours', { claims: { aud: [RELEASE_AUDIENCE, 'x'] } }, ['audience']],
    ['the nonce of another session', { nonces: ['A'.repeat(43)] }, ['nonce']],
    ['no nonce', { claims: { eat_nonce: undefined } }, ['nonce']],
    ['our nonce twice', { nonces: [nonce, nonce] }, ['nonce']],
    ['seven nonces', { nonces: [nonce, 'b', 'c', 'd', 'e', 'f', 'g'] }, ['nonce']],
    ['an array of one nonce, which no real token has', { claims: { eat_nonce: [nonce] } }, ['nonce']],
    ['a nonce that is a number', { claims: { eat_nonce: 7 } }, ['nonce']],
    ['no exp', { claims: { exp: undefined } }, ['lifetime', 'freshness']],
    ['exp as text', { claims: { exp: '9999999999' } }, ['lifetime', 'freshness']],
    ['a lifetime over an hour', { claims: { exp: seconds + 3601 } }, ['lifetime']],
    ['issued in the future', { claims: { iat: seconds + 100, nbf: seconds + 100, exp: seconds + 200 } }, ['issued']],
    ['issued before the challenge', { claims: { iat: seconds - 100, nbf: seconds - 100, exp: seconds + 100 } }, ['issued']],
    ['valid only after its end', { claims: { nbf: seconds + 4000 } }, ['lifetime']],
    ['real hardware, claimed by a simulator', { claims: { hwmodel: 'GCP_AMD_SEV' } }, ['hardware']],
    ['a shielded VM, which keeps nothing from its operator', { claims: { hwmodel: 'GCP_SHIELDED_VM' } }, ['hardware']],
    ['another service of the same issuer', { claims: { swname: undefined } }, ['software']],
    ['a revoked operating system image', { claims: { swname: 'GCE' } }, ['software']],
    ['no secure boot', { claims: { secboot: false } }, ['secure_boot']],
    ['a debug image', { claims: { dbgstat: 'enabled' } }, ['debug']],
    ['no support attributes', { submods: { confidential_space: { support_attributes: undefined } } }, ['support']],
    ['an image that is no longer stable', { submods: { confidential_space: { support_attributes: ['USABLE'] } } }, ['support']],
    ['a revoked TCB', { claims: { tdx: { gcp_attester_tcb_status: 'Revoked' } } }, ['tcb']],
    ['another image', { image: OTHER }, ['image']],
    ['the image’s digest in upper case', { submods: { container: { image_digest: IMAGE.toUpperCase() } } }, ['image']],
    ['the right name of another image', { submods: { container: { image_digest: OTHER } } }, ['image']],
    ['a changed command', { submods: { container: { cmd_override: ['sh'] } } }, ['command']],
    ['a variable that the policy does not name', { submods: { container: { env_override: { LD_PRELOAD: '/x' } } } }, ['env_override']],
    ['overrides that are no object', { submods: { container: { env_override: ['LD_PRELOAD'] } } }, ['env_override']],
    ['a workload that restarts', { submods: { container: { restart_policy: 'Always' } } }, ['restart']],
    ['memory monitoring', { submods: { confidential_space: { monitoring_enabled: { memory: true } } } }, ['monitoring']],
    ['another project', { submods: { gce: { project_id: 'evil' } } }, ['project']],
    ['another instance', { instance: 'other' }, ['instance']]
  ];
}

async function claimCases(world: VectorWorld, { token, verify, nonce }: TokenCases): Promise<Draft[]> {
  const google = { issuer: GOOGLE_ISSUER, hardware: 'GCP_INTEL_TDX' };
  return [
    ...(await Promise.all(lies(nonce).map(async ([name, mint, failed]) => verify(name, await token(mint), { failed })))),
    verify('simulated hardware under Google’s name', await token({ issuer: GOOGLE_ISSUER }), { simulated: false, failed: ['hardware'] }, { expect: { policy: GOOGLE_POLICY } }),
    verify('TDX without a TCB status', await token({ ...google, claims: { tdx: undefined } }), { simulated: false, failed: ['tcb'] }, { expect: { policy: GOOGLE_POLICY } }),
    verify('TDX with a revoked TCB, whatever the policy says', await token({ ...google, claims: { tdx: { gcp_attester_tcb_status: 'Revoked' } } }), { simulated: false, failed: ['tcb'] }, { expect: { policy: { ...GOOGLE_POLICY, tcb: 'any' } } }),
    verify('TDX with an outdated TCB', await token({ ...google, claims: { tdx: { gcp_attester_tcb_status: 'OutOfDate' } } }), { simulated: false, failed: ['tcb'] }, { expect: { policy: GOOGLE_POLICY } }),
    verify('Intel Trust Authority calls the TCB outdated where Google’s word says otherwise', await token({ ...INTEL, claims: { tdx: { gcp_attester_tcb_status: 'UpToDate', attester_tcb_status: 'OutOfDate' } } }), { simulated: false, failed: ['tcb'] }, { expect: { policy: INTEL_POLICY } }),
    verify('hardware as Google names it, by Intel', await token({ ...INTEL, hardware: 'GCP_INTEL_TDX' }), { simulated: false, failed: ['hardware', 'tcb'] }, { expect: { policy: INTEL_POLICY } }),
    verify('hardware as Intel names it, by Google', await token({ ...google, hardware: 'INTEL_TDX' }), { simulated: false, failed: ['hardware'] }, { expect: { policy: GOOGLE_POLICY } }),
    verify('certificates where Intel’s tokens have none', await token({ ...INTEL, kind: 'pki' }), { simulated: false, failed: ['key'], skipped: ['signature'] }, { expect: { policy: INTEL_POLICY } }),
    verify('a GPU that its operator may debug', await token({ ...google, submods: { nvidia_gpu: { ...GPU, cc_mode: 'DEVTOOLS' } } }), { simulated: false, failed: ['gpu'] }, { expect: { policy: GOOGLE_POLICY } }),
    verify('no GPU, where one is demanded', await token(google), { simulated: false, failed: ['gpu'] }, { expect: { policy: { ...GOOGLE_POLICY, gpu: 'required' } } }),
    verify('an image signed by another key', await token({ submods: { container: { image_signatures: [SIGNATURE] } } }), { failed: ['image_signatures'] }, { expect: { policy: { ...SIMULATED_POLICY, imageSigners: ['cd'.repeat(32)] } } }),
    verify('other arguments', await token({}), { failed: ['arguments'] }, { expect: { policy: { ...SIMULATED_POLICY, args: ['node', 'other.mjs'] } } }),
    verify('a variable that is not in the list', await token({}), { failed: ['variables'] }, { expect: { policy: { ...SIMULATED_POLICY, env: ['HOSTNAME'] } } }),
    verify('another zone', await token({}), { failed: ['zone'] }, { expect: { policy: { ...SIMULATED_POLICY, zones: ['europe-west4-c'] } } }),
    verify('a service account that nobody named', await token({ claims: { google_service_accounts: ['a@x', 'b@x'] } }), { failed: ['service_accounts'] }, { expect: { policy: { ...SIMULATED_POLICY, serviceAccounts: ['a@x'] } } }),
    verify('a key that was published at another time only', await token({ ...google }), { simulated: false, failed: ['key'] }, { expect: { policy: GOOGLE_POLICY }, verifiers: [withoutKeysAround(world.verifier.pinned(GOOGLE_ISSUER, 'google'))] }),
    verify('keys that were last seen a month before', await token({ ...google }), { simulated: false, unknown: ['key'] }, { expect: { policy: GOOGLE_POLICY }, verifiers: [seenAt(world.verifier.pinned(GOOGLE_ISSUER, 'google'), '2026-05-01T00:00:00.000Z')] }),
    verify('a simulator, where the policy names only Google', await token({}), { failed: ['issuer'] }, { expect: { policy: GOOGLE_POLICY } }),
    verify('over five minutes old', await token({}), { failed: ['freshness'] }, { now: '2026-06-01T12:05:01.000Z' }),
    verify('an empty policy allows nothing', await token({ submods: { container: { env_override: { A: '1' } } } }), { failed: ['issuer', 'hardware', 'image', 'image_signatures', 'arguments', 'env_override', 'variables', 'restart', 'project', 'zone'] }, {
      expect: { policy: createAppraisal({ verifiers: [], images: [], hardware: [], attributes: [], projects: [], zones: [], env: [], args: [], command: [], restart: [], imageSigners: [] }) }
    })
  ];
}

const seenAt = (pinned: PinnedVerifier, seen: string): Json => toJson({ ...pinned, jwks: pinned.jwks.map(set => ({ ...set, seen })) });

/** Published once, years before, and in neither key set around the token. */
function withoutKeysAround(pinned: PinnedVerifier): Json {
  const empty = ['2026-05-31T00:00:00.000Z', '2026-06-02T00:00:00.000Z'].map(seen => ({ seen, source: 'test', keys: [] }));
  return toJson({ ...pinned, jwks: [...pinned.jwks.map(set => ({ ...set, seen: '2020-01-01T00:00:00.000Z' })), ...empty] });
}

async function formCases({ verifier }: VectorWorld, { token, verify }: TokenCases): Promise<Draft[]> {
  const good = await token({});
  const [header = '', payload = '', signature = ''] = good.split('.');
  const encode = (text: string): string => toBase64Url(toUtf8(text));
  const unreadable = (id: 'token_form' | 'encoding' | 'unique_keys'): Expected => ({ simulated: false, failed: [id], skipped: ATTESTATION_CHECK_IDS.slice(ATTESTATION_CHECK_IDS.indexOf(id) + 1) });
  const x5c = async (chain: readonly string[]): Promise<string> => token({ kind: 'pki', header: { x5c: [...chain] } });
  const [leaf = '', middle = '', root = ''] = verifier.x5c;
  const pem = verifier.x5c.map(der => `-----BEGIN CERTIFICATE-----\n${(der.match(/.{1,64}/g) ?? []).join('\n')}\n-----END CERTIFICATE-----\n`);
  const unsigned = { failed: ['signature'] };
  const unchained = { failed: ['key'], skipped: ['signature'] };
  return [
    verify('padding', `${good}=`, unreadable('encoding')),
    verify('two parts', `${header}.${payload}`, unreadable('token_form')),
    verify('a blank', `${good} `, unreadable('encoding')),
    verify('two equal keys in the header', `${encode('{"alg":"RS256","alg":"none","kid":"test-1"}')}.${payload}.${signature}`, unreadable('unique_keys')),
    verify('over 32 KiB', 'x'.repeat(32 * 1024 + 1), unreadable('token_form')),
    verify('alg none', `${encode('{"alg":"none","kid":"test-1","typ":"JWT"}')}.${payload}.`, { failed: ['algorithm'], skipped: ['key', 'signature'] }),
    verify('alg HS256', `${encode('{"alg":"HS256","kid":"test-1","typ":"JWT"}')}.${payload}.${signature}`, { failed: ['algorithm'], skipped: ['key', 'signature'] }),
    verify('a critical extension', await token({ header: { b64: true } }), { failed: ['algorithm'] }),
    verify('one character of the signature changed', `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`, unsigned),
    verify('another key under the same key id', await token({ kind: 'foreign-oidc' }), unsigned),
    verify('a key id that is not pinned', await token({ header: { kid: 'test-2' } }), { unknown: ['key'], skipped: ['signature'] }),
    verify('PKI entries as PEM text', await x5c(pem), {}),
    verify('a chain to another root of the same name', await token({ kind: 'foreign-pki' }), unchained),
    verify('two certificates', await x5c([leaf, middle]), unchained),
    verify('four certificates', await x5c([leaf, middle, root, root]), unchained),
    verify('certificates in the other order', await x5c([root, middle, leaf]), unchained),
    verify('the issuer is not pinned', good, { simulated: false, unknown: ['issuer'], skipped: AFTER_ISSUER }, { verifiers: [] }),
    verify('an issuer that looks like a pinned one', await token({ issuer: `${SIMULATOR_ISSUER}/` }), { simulated: false, failed: ['issuer'], skipped: AFTER_ISSUER })
  ];
}
