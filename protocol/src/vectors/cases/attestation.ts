import { toBase64Url } from '../../bytes/base64url.js';
import type { Json } from '../../bytes/json.js';
import { toUtf8 } from '../../bytes/text.js';
import { GOOGLE_ISSUER, SIMULATOR_ISSUER } from '../../attestation/verify.js';
import { CLAIM_CHECKS } from '../../attestation/checks/index.js';
import { RELEASE_AUDIENCE, sessionNonce } from '../../objects/release.js';
import type { Draft, FileDraft } from '../format.js';
import type { VectorRun } from '../run-world.js';
import type { Mint } from '../verifier.js';
import { IMAGE, INSTANCE, NOW, OTHER, type VectorWorld } from '../world.js';

const seconds = Math.floor(NOW.getTime() / 1000);
const ALL_CLAIMS = CLAIM_CHECKS.map(check => check.id);

export const SIMULATED_POLICY = { verifiers: [SIMULATOR_ISSUER], images: [IMAGE], hardware: ['SIMULATED'], debug: false, attributes: ['STABLE'], projects: ['test'], envOverrides: ['CLOISTER_JOB'] } as const;
const GOOGLE_POLICY = { ...SIMULATED_POLICY, verifiers: [GOOGLE_ISSUER], hardware: 'any' };

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

export const sharedVerifiers = ({ verifier }: VectorWorld): object[] => [verifier.pinned(SIMULATOR_ISSUER, 'simulator'), verifier.pinned(GOOGLE_ISSUER, 'google')];

/** Tokens of the release: OIDC and PKI, simulated and in Google's shape, by test keys. */
export async function attestationFile(world: VectorWorld, run: VectorRun): Promise<FileDraft> {
  const cases = tokenCases(world, run);
  return {
    kind: 'attestation',
    about: 'Attestation tokens in the shape of Google Cloud Confidential Space, signed by TEST KEYS. Every check is asked; a token is accepted only where all pass.',
    specs: ['RFC 7515', 'RFC 7519', 'RFC 9711', 'RFC 5280', 'Google Confidential Space attestation token claims'],
    shared: { verifiers: sharedVerifiers(world) },
    cases: [...(await acceptedCases(cases)), ...(await claimCases(cases)), ...(await formCases(world, cases))]
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
    verify('our nonce among several', await token({ nonces: ['another-nonce', nonce] }), {}),
    verify('an override that the policy names', await token({ submods: { container: { env_override: { CLOISTER_JOB: 'x' } } } }), {}),
    verify('an empty override of the command', await token({ submods: { container: { cmd_override: [] } } }), {}),
    verify('a report’s token, twenty years later', await token({}), {}, { expect: { freshness: { kind: 'report' } }, now: '2046-06-01T12:00:00.000Z' })
  ];
}

async function claimCases({ token, verify, nonce }: TokenCases): Promise<Draft[]> {
  const google = { issuer: GOOGLE_ISSUER, hardware: 'GCP_INTEL_TDX' };
  const lies: [string, Partial<Mint>, string[]][] = [
    ['another audience', { audience: 'urn:cloister:report' }, ['audience']],
    ['a list of audiences that holds ours', { claims: { aud: [RELEASE_AUDIENCE, 'x'] } }, ['audience']],
    ['the nonce of another session', { nonces: ['A'.repeat(43)] }, ['nonce']],
    ['no nonce', { claims: { eat_nonce: undefined } }, ['nonce']],
    ['our nonce twice', { nonces: [nonce, nonce] }, ['nonce']],
    ['seven nonces', { nonces: [nonce, 'b', 'c', 'd', 'e', 'f', 'g'] }, ['nonce']],
    ['an array of one nonce, which no real token has', { claims: { eat_nonce: [nonce] } }, ['nonce']],
    ['a nonce that is a number', { claims: { eat_nonce: 7 } }, ['nonce']],
    ['no exp', { claims: { exp: undefined } }, ['time']],
    ['exp as text', { claims: { exp: '9999999999' } }, ['time']],
    ['a lifetime over an hour', { claims: { exp: seconds + 3601 } }, ['time']],
    ['issued in the future', { claims: { iat: seconds + 100, nbf: seconds + 100, exp: seconds + 200 } }, ['time']],
    ['issued before the challenge', { claims: { iat: seconds - 100, nbf: seconds - 100, exp: seconds + 100 } }, ['time']],
    ['valid only after its end', { claims: { nbf: seconds + 4000 } }, ['time']],
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
    ['a variable that the policy does not name', { submods: { container: { env_override: { LD_PRELOAD: '/x' } } } }, ['environment']],
    ['overrides that are no object', { submods: { container: { env_override: ['LD_PRELOAD'] } } }, ['environment']],
    ['a workload that restarts', { submods: { container: { restart_policy: 'Always' } } }, ['restart']],
    ['memory monitoring', { submods: { confidential_space: { monitoring_enabled: { memory: true } } } }, ['monitoring']],
    ['another project', { submods: { gce: { project_id: 'evil' } } }, ['project']],
    ['another instance', { instance: 'other' }, ['instance']]
  ];
  return [
    ...(await Promise.all(lies.map(async ([name, mint, failed]) => verify(name, await token(mint), { failed })))),
    verify('simulated hardware under Google’s name', await token({ issuer: GOOGLE_ISSUER }), { simulated: false, failed: ['hardware'] }, { expect: { policy: GOOGLE_POLICY } }),
    verify('TDX without a TCB status', await token({ ...google, claims: { tdx: undefined } }), { simulated: false, failed: ['tcb'] }, { expect: { policy: GOOGLE_POLICY } }),
    verify('a simulator, where the policy names only Google', await token({}), { failed: ['issuer'] }, { expect: { policy: GOOGLE_POLICY } }),
    verify('over five minutes old', await token({}), { failed: ['time'] }, { now: '2026-06-01T12:05:01.000Z' }),
    verify('an empty policy allows nothing', await token({ submods: { container: { env_override: { A: '1' } } } }), { failed: ['issuer', 'hardware', 'image', 'environment', 'project'] }, {
      expect: { policy: { verifiers: [], images: [], hardware: [], debug: false, attributes: [], projects: [], envOverrides: [] } }
    })
  ];
}

async function formCases({ verifier }: VectorWorld, { token, verify }: TokenCases): Promise<Draft[]> {
  const good = await token({});
  const [header = '', payload = '', signature = ''] = good.split('.');
  const encode = (text: string): string => toBase64Url(toUtf8(text));
  const unreadable = { simulated: false, failed: ['token_form'], skipped: ['issuer', 'signature', ...ALL_CLAIMS] };
  const x5c = async (chain: readonly string[]): Promise<string> => token({ kind: 'pki', header: { x5c: [...chain] } });
  const [leaf = '', middle = '', root = ''] = verifier.x5c;
  const pem = verifier.x5c.map(der => `-----BEGIN CERTIFICATE-----\n${(der.match(/.{1,64}/g) ?? []).join('\n')}\n-----END CERTIFICATE-----\n`);
  const unsigned = { failed: ['signature'] };
  return [
    verify('padding', `${good}=`, unreadable),
    verify('two parts', `${header}.${payload}`, unreadable),
    verify('a blank', `${good} `, unreadable),
    verify('two equal keys in the header', `${encode('{"alg":"RS256","alg":"none","kid":"test-1"}')}.${payload}.${signature}`, unreadable),
    verify('over 32 KiB', 'x'.repeat(32 * 1024 + 1), unreadable),
    verify('alg none', `${encode('{"alg":"none","kid":"test-1","typ":"JWT"}')}.${payload}.`, unsigned),
    verify('alg HS256', `${encode('{"alg":"HS256","kid":"test-1","typ":"JWT"}')}.${payload}.${signature}`, unsigned),
    verify('a critical extension', await token({ header: { b64: true } }), unsigned),
    verify('one character of the signature changed', `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`, unsigned),
    verify('another key under the same key id', await token({ kind: 'foreign-oidc' }), unsigned),
    verify('a key id that is not pinned', await token({ header: { kid: 'test-2' } }), { unknown: ['signature'] }),
    verify('PKI entries as PEM text', await x5c(pem), {}),
    verify('a chain to another root of the same name', await token({ kind: 'foreign-pki' }), unsigned),
    verify('two certificates', await x5c([leaf, middle]), unsigned),
    verify('four certificates', await x5c([leaf, middle, root, root]), unsigned),
    verify('certificates in the other order', await x5c([root, middle, leaf]), unsigned),
    verify('the issuer is not pinned', good, { simulated: false, unknown: ['issuer'], skipped: ['signature', ...ALL_CLAIMS] }, { verifiers: [] }),
    verify('an issuer that looks like a pinned one', await token({ issuer: `${SIMULATOR_ISSUER}/` }), { simulated: false, failed: ['issuer'], skipped: ['signature', ...ALL_CLAIMS] })
  ];
}
