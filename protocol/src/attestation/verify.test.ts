import { beforeAll, describe, expect, test } from 'vitest';
import { createTestVerifier, type MintOptions, type TestVerifier } from '../testing/index.js';
import { digestOf } from '../bytes/digest.js';
import { toUtf8 } from '../bytes/text.js';
import { toBase64Url } from '../bytes/base64url.js';
import type { AppraisalPolicy } from '../objects/trust.js';
import type { AttestationExpectation } from './expectation.js';
import { GOOGLE_ISSUER, SIMULATOR_ISSUER, verifyAttestation } from './verify.js';

const NOW = new Date('2026-06-01T12:00:00.000Z');
const IMAGE = digestOf(toUtf8('image'));
const NONCE = 'n'.repeat(42) + 'A';
const policy: AppraisalPolicy = {
  verifiers: [SIMULATOR_ISSUER],
  images: [IMAGE],
  hardware: 'any',
  debug: false,
  attributes: ['STABLE'],
  projects: ['test'],
  envOverrides: ['CLOISTER_JOB']
};
const expectation: AttestationExpectation = {
  audience: 'urn:cloister:release',
  nonce: NONCE,
  policy,
  freshness: { kind: 'release', issuedAfter: NOW },
  instance: 'job-1'
};
const mintable: MintOptions = { audience: 'urn:cloister:release', nonces: [NONCE], image: IMAGE, instance: 'job-1', issuedAt: NOW, envOverride: { CLOISTER_JOB: 'x' } };

let verifier: TestVerifier;
let stranger: TestVerifier;
beforeAll(async () => {
  verifier = await createTestVerifier();
  stranger = await createTestVerifier();
});

async function failedChecks(token: string, over: Partial<AttestationExpectation> = {}, now = NOW): Promise<string[]> {
  const { checks, accepted } = await verifyAttestation(token, { trust: { verifiers: [verifier.pinned] }, expect: { ...expectation, ...over }, now });
  const failed = checks.filter(check => check.status !== 'pass').map(check => check.id);
  expect(accepted).toBe(failed.length === 0);
  return failed;
}

describe('accepts real shapes', () => {
  test.each<[string, Partial<MintOptions>]>([
    ['OIDC with one nonce as text', {}],
    ['PKI with a chain', { kind: 'pki' }],
    ['several nonces as an array', { nonces: ['other-nonce', NONCE] }],
    ['no overrides at all', { claims: {} }],
    ['jku in the header, which is ignored', { header: { jku: 'https://evil.example/jwks' } }]
  ])('%s', async (_, over) => {
    expect(await failedChecks(await verifier.mint({ ...mintable, ...over }))).toEqual([]);
  });

  test('PKI entries as PEM text, as captured tokens have them', async () => {
    const token = await verifier.mint({ ...mintable, kind: 'pki' });
    const [header = '', ...rest] = token.split('.');
    expect(rest).toHaveLength(2);
    const { x5c } = JSON.parse(atob(header.replaceAll('-', '+').replaceAll('_', '/'))) as { x5c: string[] };
    const pem = x5c.map(der => `-----BEGIN CERTIFICATE-----\n${(der.match(/.{1,64}/g) ?? []).join('\n')}\n-----END CERTIFICATE-----\n`);
    expect(await failedChecks(await verifier.mint({ ...mintable, kind: 'pki', header: { x5c: pem } }))).toEqual([]);
  });

  test('a simulator never counts as hardware: the result says simulated', async () => {
    const result = await verifyAttestation(await verifier.mint(mintable), { trust: { verifiers: [verifier.pinned] }, expect: expectation, now: NOW });
    expect(result).toMatchObject({ accepted: true, simulated: true });
  });

  test.each(['GCP_AMD_SEV', 'GCP_INTEL_TDX'])('%s under a google verifier', async hardware => {
    const google = await createTestVerifier({ kind: 'google', issuer: GOOGLE_ISSUER, hardware });
    const result = await verifyAttestation(await google.mint(mintable), {
      trust: { verifiers: [google.pinned] },
      expect: { ...expectation, policy: { ...policy, verifiers: [GOOGLE_ISSUER] } },
      now: NOW
    });
    expect(result).toMatchObject({ accepted: true, simulated: false });
  });
});

const seconds = Math.floor(NOW.getTime() / 1000);
const submods = (change: object): NonNullable<MintOptions['claims']> => ({ submods: structuredClone(change) as never });
const container = { image_digest: IMAGE, restart_policy: 'Never' };
const gce = { instance_name: 'job-1', project_id: 'test' };
const space = { support_attributes: ['STABLE'], monitoring_enabled: { memory: false } };

describe('refuses, each with its own check', () => {
  test.each<[string, Partial<MintOptions>, string[]]>([
    ['J5 another audience', { audience: 'urn:cloister:report' }, ['audience']],
    ['J5 an audience list that contains ours', { claims: { aud: ['urn:cloister:release', 'x'] } }, ['audience']],
    ['J5 a look-alike issuer', { claims: { iss: `${SIMULATOR_ISSUER}/` } }, ['issuer', 'signature', ...allClaimChecks()]],
    ['J5 no exp', { claims: { exp: undefined } }, ['time']],
    ['J5 exp as text', { claims: { exp: '9999999999' } }, ['time']],
    ['J6 a lifetime over an hour', { claims: { exp: seconds + 3601 } }, ['time']],
    ['J6 issued in the future', { claims: { iat: seconds + 100, nbf: seconds + 100, exp: seconds + 200 } }, ['time']],
    ['J6 nbf after exp', { claims: { nbf: seconds + 4000 } }, ['time']],
    ['N6 issued before the challenge', { claims: { iat: seconds - 100, nbf: seconds - 100, exp: seconds + 100 } }, ['time']],
    ['J7 another swname', { claims: { swname: 'GCE' } }, ['software']],
    ['J7 debug enabled', { claims: { dbgstat: 'enabled' } }, ['debug']],
    ['J7 no secure boot', { claims: { secboot: false } }, ['secure_boot']],
    ['J7 a shielded VM', { claims: { hwmodel: 'GCP_SHIELDED_VM' } }, ['hardware']],
    ['J7 real hardware claimed by a simulator', { claims: { hwmodel: 'GCP_INTEL_TDX' } }, ['hardware', 'tcb']],
    ['J7 no support attributes', { claims: submods({ container, gce, confidential_space: {} }) }, ['support']],
    ['J8 another image', { image: digestOf(toUtf8('other')) }, ['image']],
    ['J8 an image digest in upper case', { claims: submods({ container: { ...container, image_digest: IMAGE.toUpperCase() }, gce, confidential_space: space }) }, ['image']],
    ['J9 an override that no policy names', { envOverride: { LD_PRELOAD: '/x' } }, ['environment']],
    ['J9 a changed command', { claims: submods({ container: { ...container, cmd_override: ['sh'] }, gce, confidential_space: space }) }, ['command']],
    ['J9 restart Always', { claims: submods({ container: { ...container, restart_policy: 'Always' }, gce, confidential_space: space }) }, ['restart']],
    ['J9 memory monitoring', { claims: submods({ container, gce, confidential_space: { ...space, monitoring_enabled: { memory: true } } }) }, ['monitoring']],
    ['J10 another project', { claims: submods({ container, gce: { ...gce, project_id: 'evil' }, confidential_space: space }) }, ['project']],
    ['R1 another instance', { instance: 'job-2' }, ['instance']],
    ['J12 our nonce twice', { nonces: [NONCE, NONCE] }, ['nonce']],
    ['J12 seven nonces', { nonces: [NONCE, 'b', 'c', 'd', 'e', 'f', 'g'] }, ['nonce']],
    ['J12 a nonce as number', { claims: { eat_nonce: 7 } }, ['nonce']],
    ['J12 an array of one, which no real token has', { claims: { eat_nonce: [NONCE] } }, ['nonce']],
    ['N5 the nonce in another case', { nonces: [NONCE.toUpperCase()] }, ['nonce']],
    ['J13 a revoked TCB', { claims: { tdx: { gcp_attester_tcb_status: 'Revoked' } } }, ['tcb']],
    ['J14 a token of another service of the issuer', { claims: { swname: undefined } }, ['software']],
    ['J1 crit in the header', { header: { b64: true } }, ['signature']]
  ])('%s', async (_, over, expected) => {
    expect(await failedChecks(await verifier.mint({ ...mintable, ...over }))).toEqual(expected);
  });

  test('J11 a chain to a root of somebody else', async () => {
    expect(await failedChecks(await stranger.mint({ ...mintable, kind: 'pki' }))).toEqual(['signature']);
  });

  test('J11 two, four or reordered certificates', async () => {
    const token = await verifier.mint({ ...mintable, kind: 'pki' });
    const { x5c } = JSON.parse(atob((token.split('.')[0] ?? '').replaceAll('-', '+').replaceAll('_', '/'))) as { x5c: string[] };
    for (const chain of [x5c.slice(0, 2), [...x5c, ...x5c.slice(2)], x5c.toReversed(), [...x5c.slice(0, 2), 'AAAA']]) {
      expect(await failedChecks(await verifier.mint({ ...mintable, kind: 'pki', header: { x5c: chain } }))).toEqual(['signature']);
    }
  });

  test('a signature by another key under the same key id', async () => {
    expect(await failedChecks(await stranger.mint(mintable))).toEqual(['signature']);
  });

  test('J3, J4 forms that forgiving parsers take', async () => {
    const token = await verifier.mint(mintable);
    const [header = '', payload = '', signature = ''] = token.split('.');
    const twice = toBase64Url(toUtf8('{"alg":"RS256","alg":"none","kid":"test-key"}'));
    const forms = [`${token}=`, ` ${token}`, `${header}.${payload}`, `${token}.x`, `${header}.${payload}.${signature} `, `${twice}.${payload}.${signature}`, 'x'.repeat(40_000)];
    for (const form of forms) expect((await failedChecks(form))[0]).toBe('token_form');
  });

  test('a token over five minutes old, or expired, opens nothing', async () => {
    const token = await verifier.mint(mintable);
    expect(await failedChecks(token, {}, new Date(NOW.getTime() + 301_000))).toEqual(['time']);
    expect(await failedChecks(token, { freshness: { kind: 'report' } }, new Date(NOW.getTime() + 10 * 365 * 86_400_000))).toEqual([]);
  });

  test('P2 empty lists allow nothing', async () => {
    const token = await verifier.mint(mintable);
    const nothing: AppraisalPolicy = { verifiers: [], images: [], hardware: [], debug: false, attributes: [], projects: [], envOverrides: [] };
    expect(await failedChecks(token, { policy: nothing })).toEqual(['issuer', 'hardware', 'image', 'environment', 'project']);
  });
});

function allClaimChecks(): string[] {
  return ['audience', 'nonce', 'time', 'hardware', 'software', 'secure_boot', 'debug', 'support', 'tcb', 'image', 'command', 'environment', 'restart', 'monitoring', 'project', 'instance'];
}
