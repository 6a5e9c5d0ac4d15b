import { beforeAll, describe, expect, test } from 'vitest';
import type { Json } from '../bytes/json.js';
import type { AppraisalPolicy } from '../objects/trust.js';
import { createTestRelyingParty, pemOf, TEST_IMAGE, TEST_NONCE, TEST_TIME, type MintOptions, type TestRelyingParty } from '../testing/index.js';
import { verifyAttestation } from './verify.js';

/**
 * Every shape that a legitimate token of Confidential Space may have, by Google’s “Attestation token claims” and by captured
 * tokens, for every kind that may have it: none is refused. And the same shapes where they are not legitimate: refused.
 */
type Kind = 'google OIDC' | 'google PKI' | 'intel RS256' | 'intel PS384' | 'simulator OIDC' | 'simulator PKI';
const KINDS: readonly Kind[] = ['google OIDC', 'google PKI', 'intel RS256', 'intel PS384', 'simulator OIDC', 'simulator PKI'];
const GOOGLE: readonly Kind[] = ['google OIDC', 'google PKI'];
const INTEL: readonly Kind[] = ['intel RS256', 'intel PS384'];
const PKI: readonly Kind[] = ['google PKI', 'simulator PKI'];
const NOT_PKI: readonly Kind[] = KINDS.filter(kind => !PKI.includes(kind));

const parties = new Map<string, TestRelyingParty>();
beforeAll(async () => {
  await Promise.all((['google', 'intel', 'simulator'] as const).map(async kind => parties.set(kind, await createTestRelyingParty({ kind }))));
}, 60_000);

function partyOf(kind: Kind): TestRelyingParty {
  const party = parties.get(kind.split(' ')[0] ?? '');
  if (party === undefined) throw new Error(`nobody asks ${kind}`);
  return party;
}

const how = (kind: Kind): Partial<MintOptions> => ({ kind: kind.endsWith('PKI') ? 'pki' : 'oidc', algorithm: kind.endsWith('PS384') ? 'PS384' : 'RS256' });
const mint = (kind: Kind, over: Partial<MintOptions> = {}): Promise<string> => partyOf(kind).mint({ ...how(kind), ...over });

interface Shape {
  readonly fact: string;
  readonly mint: Partial<MintOptions>;
  readonly policy?: Partial<AppraisalPolicy>;
  readonly kinds?: readonly Kind[];
}
const claims = (fact: string, members: Readonly<Record<string, Json | undefined>>, more: Partial<Shape> = {}): Shape => ({ fact, mint: { claims: members }, ...more });
const paths = (fact: string, members: Readonly<Record<string, Json | undefined>>, more: Partial<Shape> = {}): Shape => ({ fact, mint: { paths: members }, ...more });
const nonces = (count: number): string[] => Array.from({ length: count }, (_, n) => (n === count - 1 ? TEST_NONCE : `nonce-of-somebody-else-${n}`));
const signature = (algorithm: string): Json => ({ key_id: 'a'.repeat(64), signature: 'TUVVQ0lR', signature_algorithm: algorithm });
const SECONDS = TEST_TIME.getTime() / 1000;
const TDX = { attester_tcb: ['INTEL'], tdx: { gcp_attester_tcb_status: 'UpToDate', gcp_attester_tcb_date: '2024-03-13T00:00:00Z' } };
const NO_TDX = { attester_tcb: undefined, tdx: undefined };
const H100 = { hwmodel: 'GCP_NVIDIA_H100', driver_version: '595.58.03', vbios_version: '96.00.CF.00.01', ueid: '5340650110430081' };
const EVERY_MODEL = { hardware: 'any' } as const;

const SHAPES: readonly Shape[] = [
  claims('a token as it comes', {}),
  claims('header: jku, which Intel’s tokens carry', {}, { mint: { header: { jku: 'https://portal.trustauthority.intel.com/certs' } } }),
  claims('header: no typ', {}, { mint: { header: { typ: undefined } } }),
  claims('header: a key id beside the certificates', {}, { mint: { header: { kid: 'leaf' } }, kinds: PKI }),
  claims('eat_nonce: text, where there is one nonce', { eat_nonce: TEST_NONCE }),
  ...[2, 3, 6].map(count => claims(`eat_nonce: a list, where there are ${count}`, { eat_nonce: nonces(count) })),
  claims('eat_nonce: ours is the first of a list', { eat_nonce: [TEST_NONCE, 'nonce-of-somebody-else'] }),
  claims('exp: an hour after iat', { exp: SECONDS + 3600 }),
  claims('exp: five minutes after iat', { exp: SECONDS + 300 }),
  claims('nbf: a second before iat', { nbf: SECONDS - 1 }),
  claims('nbf: a second after iat', { nbf: SECONDS + 1 }),
  claims('sub: with the machine’s number', { sub: 'https://www.googleapis.com/compute/v1/projects/ws-prod/zones/us-central1-a/instances/8114146583384593350' }),
  claims('jti, which the discovery document lists', { jti: '0b9f4a3e' }),
  claims('eat_profile: absent', { eat_profile: undefined }),
  claims('attester and verifier claims that nobody asks for', { oemid: undefined, verifier_instance_ids: ['a'], ver: '2.0.0', policy_ids_matched: [] }),
  claims('hwmodel: SEV, without words on TDX', { hwmodel: 'GCP_AMD_SEV', ...NO_TDX }, { kinds: GOOGLE, policy: EVERY_MODEL }),
  claims('hwmodel: SEV-ES, without words on TDX', { hwmodel: 'GCP_AMD_SEV_ES', ...NO_TDX }, { kinds: GOOGLE, policy: EVERY_MODEL }),
  claims('hwmodel: TDX', { hwmodel: 'GCP_INTEL_TDX', ...TDX }, { kinds: GOOGLE, policy: EVERY_MODEL }),
  claims('tdx: an object, as in captured tokens', { tdx: TDX.tdx }, { kinds: GOOGLE }),
  claims('tdx: a list of one, as in the documents', { tdx: [TDX.tdx] }, { kinds: GOOGLE }),
  claims('tdx: a status without a date', { tdx: { gcp_attester_tcb_status: 'UpToDate' } }, { kinds: GOOGLE }),
  claims('attester_tcb: absent on TDX, where older tokens have none', { attester_tcb: undefined }, { kinds: [...GOOGLE, ...INTEL] }),
  claims('tdx: Intel’s own status alone', { tdx: { attester_tcb_status: 'UpToDate' } }, { kinds: INTEL }),
  claims('tdx: Intel’s own status in a list of one', { tdx: [{ attester_tcb_status: 'UpToDate', attester_tcb_date: '2024-03-13T00:00:00Z' }] }, { kinds: INTEL }),
  claims('tdx: Intel’s and Google’s status', { tdx: { ...TDX.tdx, attester_tcb_status: 'UpToDate' } }, { kinds: INTEL }),
  claims('tdx: out of date, where the policy takes that', { tdx: { attester_tcb_status: 'OutOfDate' } }, { kinds: INTEL, policy: { tcb: ['UpToDate', 'OutOfDate'] } }),
  ...['240500', '250800', '260701', '20260800'].map(version => claims(`swversion: ${version}`, { swversion: [version] })),
  claims('google_service_accounts: absent', { google_service_accounts: undefined }),
  claims('google_service_accounts: of the machine, and one to act as', { google_service_accounts: ['a@p.iam.gserviceaccount.com', 'b@p.iam.gserviceaccount.com'] }, { policy: { serviceAccounts: ['a@p.iam.gserviceaccount.com', 'b@p.iam.gserviceaccount.com', 'c@p.iam.gserviceaccount.com'] } }),
  claims('https://aws.amazon.com/tags', { 'https://aws.amazon.com/tags': { principal_tags: { confidential_space: { support_attributes: ['STABLE'] } }, transitive_tag_keys: [] } }),
  paths('support_attributes: all three', { 'submods.confidential_space.support_attributes': ['LATEST', 'STABLE', 'USABLE'] }),
  paths('support_attributes: an older image', { 'submods.confidential_space.support_attributes': ['STABLE', 'USABLE'] }),
  paths('support_attributes: usable only, where the policy takes that', { 'submods.confidential_space.support_attributes': ['USABLE'] }, { policy: { attributes: ['USABLE'] } }),
  paths('support_attributes: of a preview image, where the policy takes that', { 'submods.confidential_space.support_attributes': ['EXPERIMENTAL'] }, { policy: { attributes: ['EXPERIMENTAL'] } }),
  paths('monitoring_enabled: absent on older images', { 'submods.confidential_space.monitoring_enabled': undefined }),
  paths('monitoring_enabled: memory, where the policy takes that', { 'submods.confidential_space.monitoring_enabled': { memory: true } }, { policy: { monitoring: 'any' } }),
  paths('env_override: absent', { 'submods.container.env_override': undefined }),
  paths('env_override: null on older tokens', { 'submods.container.env_override': null }),
  paths('env_override: empty', { 'submods.container.env_override': {} }),
  paths('cmd_override: absent', { 'submods.container.cmd_override': undefined }),
  paths('cmd_override: null on older tokens', { 'submods.container.cmd_override': null }),
  paths('cmd_override: empty', { 'submods.container.cmd_override': [] }),
  paths('cmd_override: the one that the policy names', { 'submods.container.cmd_override': ['node', 'x'] }, { policy: { command: ['node', 'x'] } }),
  paths('env: with HOSTNAME, and what is overridden', { 'submods.container.env': { CLOISTER_JOB: 'x', HOSTNAME: 'job-7f3a', NODE_VERSION: '22.1.0', PATH: '/usr/bin' } }, { policy: { env: ['CLOISTER_JOB', 'HOSTNAME', 'NODE_VERSION', 'PATH'] } }),
  paths('env: absent', { 'submods.container.env': undefined }),
  paths('env: null', { 'submods.container.env': null }),
  paths('args: absent', { 'submods.container.args': undefined }),
  paths('args: the ones that the policy names', {}, { policy: { args: ['node', 'runner.mjs'] } }),
  paths('image_reference: by tag', { 'submods.container.image_reference': 'registry.test/runner:latest' }),
  paths('image_reference: by digest', { 'submods.container.image_reference': `registry.test/runner@${TEST_IMAGE}` }),
  paths('image_signatures: absent', { 'submods.container.image_signatures': undefined }),
  paths('image_signatures: none', { 'submods.container.image_signatures': [] }),
  ...['RSASSA_PSS_SHA256', 'RSASSA_PKCS1V15_SHA256', 'ECDSA_P256_SHA256'].map(name => paths(`image_signatures: by ${name}`, { 'submods.container.image_signatures': [signature(name)] }, { policy: { imageSigners: ['a'.repeat(64)] } })),
  ...(['OnFailure', 'Always'] as const).map(restart => paths(`restart_policy: ${restart}, where the policy takes that`, { 'submods.container.restart_policy': restart }, { policy: { restart: ['Never', restart] } })),
  paths('project_number: the one that the policy names', { 'submods.gce.project_number': '889537417991' }, { policy: { projects: ['889537417991'] } }),
  paths('zone: the one that the policy names', { 'submods.gce.zone': 'us-central1-a' }, { policy: { zones: ['us-central1-a'] } }),
  paths('nvidia_gpu: one H100', { 'submods.nvidia_gpu': { cc_mode: 'ON', cc_feature: 'SPT', gpus: [H100] } }, { policy: { gpu: 'required' } }),
  paths('nvidia_gpu: eight, with a serial number', { 'submods.nvidia_gpu': { cc_mode: 'ON', cc_feature: 'SPT', gpus: Array.from({ length: 8 }, () => ({ ...H100, l4_serial_number: '1' })) } })
];

describe.each(KINDS)('%s accepts', kind => {
  test.each(SHAPES.filter(({ kinds }) => kinds?.includes(kind) ?? true))('$fact', async ({ mint: over, policy }) => {
    expect(await partyOf(kind).refusals(await mint(kind, over), policy === undefined ? {} : { policy })).toEqual([]);
  });
});

describe.each(PKI)('%s accepts certificates', kind => {
  test.each<[string, (der: string) => string]>([
    ['as DER in base64, as in the documents', der => der],
    ['as PEM, as in a captured token', der => pemOf(der)],
    ['as PEM with CRLF', der => pemOf(der, '\r\n')],
    ['as PEM without a last line end', der => pemOf(der).trimEnd()],
    ['as PEM in one line', der => `-----BEGIN CERTIFICATE-----\n${der}\n-----END CERTIFICATE-----\n`]
  ])('%s', async (_, form) => {
    const x5c = partyOf(kind).verifier.chain.x5c.map(form);
    expect(await partyOf(kind).refusals(await mint(kind, { header: { x5c } }))).toEqual([]);
  });
});

describe.each(KINDS)('%s refuses what is legitimate elsewhere only', kind => {
  test.each<[string, Partial<MintOptions>, string]>([
    ['a debug image', { paths: { dbgstat: 'enabled', 'submods.confidential_space.support_attributes': undefined } }, 'debug'],
    ['an image that was revoked', { claims: { swname: 'GCE' } }, 'software'],
    ['a machine that keeps no memory from its operator', { claims: { hwmodel: 'GCP_SHIELDED_VM', ...NO_TDX } }, 'hardware'],
    ['a token for AWS or Google’s own STS', { audience: 'https://sts.googleapis.com' }, 'audience'],
    ['a default token, without a nonce', { claims: { eat_nonce: undefined } }, 'nonce'],
    ['a list of one nonce, which the service never makes', { claims: { eat_nonce: [TEST_NONCE] } }, 'nonce']
  ])('%s', async (_, over, check) => {
    expect(await partyOf(kind).refusals(await mint(kind, over))).toContain(check);
  });
});

test('certificates belong to PKI tokens: Intel’s have none that count', async () => {
  for (const kind of NOT_PKI) {
    const party = partyOf(kind);
    const leaf = await party.mint({ kind: 'pki', header: { x5c: [...party.verifier.chain.x5c], kid: 'test-key' } });
    expect(await party.refusals(leaf)).toEqual(kind.startsWith('intel') ? ['signature'] : []);
  }
});

test('what a simulator says is accepted as simulated only, where a policy names it', async () => {
  const { verifier, expect: demands } = partyOf('simulator OIDC');
  const token = await mint('simulator OIDC');
  const result = await verifyAttestation(token, { trust: { verifiers: [verifier.pinned] }, expect: demands, now: TEST_TIME });
  expect(result).toMatchObject({ accepted: true, simulated: true });
  const real = await verifyAttestation(await mint('google OIDC'), { trust: { verifiers: [partyOf('google OIDC').verifier.pinned] }, expect: partyOf('google OIDC').expect, now: TEST_TIME });
  expect(real).toMatchObject({ accepted: true, simulated: false });
});
