import { beforeAll, describe, expect, test } from 'vitest';
import type { Json } from '../bytes/json.js';
import { digestOf } from '../bytes/digest.js';
import { toUtf8 } from '../bytes/text.js';
import type { AppraisalPolicy } from '../objects/trust.js';
import { createTestRelyingParty, TEST_IMAGE, TEST_NONCE, TEST_TIME, type MintOptions, type TestRelyingParty } from '../testing/index.js';
import { GOOGLE_ISSUER, INTEL_ISSUER } from './issuers.js';
import { ATTESTATION_CHECK_IDS, verifyAttestation } from './verify.js';

/** Tokens that the verifier really signed and that say the wrong thing: J5 to J10 and J12 to J14, each refused by the check whose question it is. */
let google: TestRelyingParty;
let intel: TestRelyingParty;
let simulator: TestRelyingParty;
beforeAll(async () => {
  [google, intel, simulator] = await Promise.all([createTestRelyingParty({ kind: 'google' }), createTestRelyingParty({ kind: 'intel' }), createTestRelyingParty()]);
}, 60_000);

const SECONDS = TEST_TIME.getTime() / 1000;
const NOBODY_ASKED = ATTESTATION_CHECK_IDS.slice(ATTESTATION_CHECK_IDS.indexOf('issuer'));
const TIMES = ['lifetime', 'issued', 'freshness'];

type Row = [title: string, refusals: string[], mint: Partial<MintOptions>, policy?: Partial<AppraisalPolicy>];
const at = (path: string, value?: Json): Partial<MintOptions> => ({ paths: { [path]: value } });
const claim = (name: string, value?: Json): Partial<MintOptions> => ({ claims: { [name]: value } });
const times = (iat: Json, nbf: Json, exp: Json): Partial<MintOptions> => ({ claims: { iat, nbf, exp } });

async function refuses(refusals: readonly string[], mint: Partial<MintOptions>, policy: Partial<AppraisalPolicy> = {}, party = google): Promise<void> {
  expect(await party.refusals(await party.mint(mint), { policy })).toEqual(refusals);
}

const ISSUERS: readonly Json[] = [
  `${GOOGLE_ISSUER}/`, GOOGLE_ISSUER.replace('https', 'http'), GOOGLE_ISSUER.toUpperCase(), ` ${GOOGLE_ISSUER}`, `${GOOGLE_ISSUER}:443`, `${GOOGLE_ISSUER}.evil.example`,
  'https://confidentialcomputing.googleapis.com@evil.example', 'https://confidentialcomputing.googleapis.co', GOOGLE_ISSUER.replace('o', '\u043e'), 'confidentialcomputing.googleapis.com',
  '', INTEL_ISSUER, 'https://accounts.google.com', [GOOGLE_ISSUER], { iss: GOOGLE_ISSUER }, null, 1, true
];

describe('J5 issuer, audience and times', () => {
  test.each(ISSUERS)('J5 issuer %j', async iss => refuses(NOBODY_ASKED, claim('iss', iss)));
  test('J5 no issuer', async () => refuses(NOBODY_ASKED, claim('iss')));
  test('J5 a pinned issuer that the policy does not name', async () => {
    const pinned = [google.verifier.pinned, intel.verifier.pinned];
    expect(await google.refusals(await intel.mint(), { pinned })).toEqual(['issuer']);
    expect(await google.refusals(await intel.mint(claim('iss', GOOGLE_ISSUER)), { pinned })).toEqual(['signature', 'hardware']);
  });

  test.each<Json>([
    ['urn:cloister:release'], ['urn:cloister:release', 'x'], ['x', 'urn:cloister:release'], 'urn:cloister:report', 'URN:cloister:release', 'urn:cloister:release/', ' urn:cloister:release', 'urn:cloister:releas',
    'https://sts.googleapis.com', '', null, 1, { aud: 'urn:cloister:release' }
  ])('J5 audience %j', async aud => refuses(['audience'], claim('aud', aud)));
  test('J5 no audience', async () => refuses(['audience'], claim('aud')));

  test.each<Row>([
    ['no exp', ['lifetime', 'freshness'], claim('exp')],
    ['no nbf', ['lifetime'], claim('nbf')],
    ['no iat', ['key', 'signature', ...TIMES], claim('iat')],
    ...[String(SECONDS + 60), SECONDS + 60.5, null, [SECONDS + 60], true, -1, 1e300, '2026-06-01T12:10:00Z'].map((exp): Row => [`exp ${JSON.stringify(exp)}`, ['lifetime', 'freshness'], claim('exp', exp)]),
    ...[String(SECONDS), SECONDS + 0.5, null, [SECONDS], false, -1, 1e300].map((nbf): Row => [`nbf ${JSON.stringify(nbf)}`, ['lifetime'], claim('nbf', nbf)]),
    ...[String(SECONDS), SECONDS + 0.5, null, [SECONDS], true].map((iat): Row => [`iat ${JSON.stringify(iat)}`, ['key', 'signature', ...TIMES], claim('iat', iat)])
  ])('J5 %s', async (_, refusals, mint, policy) => refuses(refusals, mint, policy));
});

describe('J6 time', () => {
  test.each<Row>([
    ['issued in the future', ['issued'], times(SECONDS + 61, SECONDS, SECONDS + 3600)],
    ['valid only after its end', ['lifetime'], times(SECONDS, SECONDS + 4000, SECONDS + 3600)],
    ['valid from its end on', ['lifetime'], times(SECONDS, SECONDS + 30, SECONDS + 30)],
    ['valid only long after its issue', ['lifetime'], times(SECONDS, SECONDS + 61, SECONDS + 3600)],
    ['expired before it was issued', ['lifetime', 'freshness'], times(SECONDS, SECONDS - 20, SECONDS - 10)],
    ['no life at all', ['lifetime', 'freshness'], times(SECONDS, SECONDS, SECONDS)],
    ['a second over an hour', ['lifetime'], times(SECONDS, SECONDS, SECONDS + 3601)],
    ['a life of a hundred years', ['lifetime'], times(SECONDS, SECONDS, SECONDS + 3_155_760_000)],
    ['issued before the challenge', ['issued'], times(SECONDS - 61, SECONDS - 61, SECONDS + 3000)],
    ['a default token, from before the challenge', ['issued', 'freshness'], times(SECONDS - 3000, SECONDS - 3000, SECONDS + 600)]
  ])('J6 %s', async (_, refusals, mint, policy) => refuses(refusals, mint, policy));

  test('J6 over five minutes old, though its hour is not over', async () => {
    const token = await google.mint();
    for (const [age, refused] of [[300, []], [301, ['freshness']], [3599, ['freshness']], [3600, ['freshness']]] as const) {
      expect(await google.refusals(token, { now: new Date(TEST_TIME.getTime() + age * 1000) })).toEqual(refused);
    }
  });

  test('J6 expired, though it is not five minutes old', async () => {
    const token = await google.mint(times(SECONDS, SECONDS, SECONDS + 60));
    expect(await google.refusals(token, { now: new Date(TEST_TIME.getTime() + 59_000) })).toEqual([]);
    expect(await google.refusals(token, { now: new Date(TEST_TIME.getTime() + 60_000) })).toEqual(['freshness']);
  });

  test('J6 clocks that tell nothing: our own, and that of the challenge', async () => {
    const never = new Date(Number.NaN);
    expect(await google.refusals(await google.mint(), { now: never })).toEqual(['issued', 'freshness']);
    expect(await google.refusals(await google.mint(), { expect: { freshness: { kind: 'release', issuedAfter: never } } })).toEqual(['issued']);
  });
});

describe('J7 platform', () => {
  test.each<Row>([
    ...['GCE', 'confidential_space', 'CONFIDENTIAL_SPACE ', '', null, true, ['CONFIDENTIAL_SPACE']].map((value): Row => [`swname ${JSON.stringify(value)}`, ['software'], claim('swname', value)]),
    ...['enabled', 'enable', 'disabled', 'disabled-permanently', 'Disabled-since-boot', '', null, false].map((value): Row => [`dbgstat ${JSON.stringify(value)}`, ['debug'], claim('dbgstat', value)]),
    ['no dbgstat', ['debug'], claim('dbgstat')],
    ...[false, 'true', 1, null, [true]].map((value): Row => [`secboot ${JSON.stringify(value)}`, ['secure_boot'], claim('secboot', value)]),
    ['no secboot', ['secure_boot'], claim('secboot')],
    ...['GCP_SHIELDED_VM', 'GCP_AMD_SEV_SNP', 'INTEL_TDX', 'SIMULATED', 'gcp_intel_tdx', '', null, ['GCP_INTEL_TDX']].map((value): Row => [`hwmodel ${JSON.stringify(value)}`, ['hardware'], { claims: { hwmodel: value, tdx: { gcp_attester_tcb_status: 'UpToDate', attester_tcb_status: 'UpToDate' } } }]),
    ['no hwmodel', ['hardware'], claim('hwmodel')],
    ['hardware that the policy does not name', ['hardware'], {}, { hardware: ['GCP_AMD_SEV'] }],
    ...[['LATEST', 'USABLE'], ['EXPERIMENTAL'], ['stable'], [], 'STABLE', { 0: 'STABLE' }, [['STABLE']], ['STABLE', null], null].map((value): Row => [`support attributes ${JSON.stringify(value)}`, ['support'], at('submods.confidential_space.support_attributes', value)]),
    ['no support attributes, as on debug images', ['support'], at('submods.confidential_space.support_attributes')],
    ['one of two attributes', ['support'], at('submods.confidential_space.support_attributes', ['STABLE', 'USABLE']), { attributes: ['STABLE', 'LATEST'] }],
    ['a GPU that can be debugged', ['gpu'], at('submods.nvidia_gpu', { cc_mode: 'DEVTOOLS', gpus: [{ hwmodel: 'GCP_NVIDIA_H100' }] })],
    ['a GPU without protection', ['gpu'], at('submods.nvidia_gpu', { cc_mode: 'OFF', gpus: [{ hwmodel: 'GCP_NVIDIA_H100' }] })],
    ['a GPU that says nothing', ['gpu'], at('submods.nvidia_gpu', {})],
    ['no GPU where one is demanded', ['gpu'], {}, { gpu: 'required' }]
  ])('J7 %s', async (_, refusals, mint, policy) => refuses(refusals, mint, policy));

  test('J7 real hardware, in the mouth of a simulator', async () => {
    expect(await simulator.refusals(await simulator.mint(claim('hwmodel', 'GCP_AMD_SEV')))).toEqual(['hardware']);
    expect(await simulator.refusals(await simulator.mint(claim('hwmodel', 'GCP_AMD_SEV')), { policy: { hardware: ['GCP_AMD_SEV'] } })).toEqual(['hardware']);
  });
});

const OTHER = digestOf(toUtf8('other'));
describe('J8 image', () => {
  test.each<Row>([
    ['another digest', ['image'], at('submods.container.image_digest', OTHER)],
    ['another digest under the reference of the right one', ['image'], { paths: { 'submods.container.image_digest': OTHER, 'submods.container.image_reference': `registry.test/runner@${TEST_IMAGE}`, 'submods.container.image_id': TEST_IMAGE } }],
    ['no digest', ['image'], at('submods.container.image_digest')],
    ['no container', ['image', 'restart'], at('submods.container')],
    ...[TEST_IMAGE.toUpperCase(), TEST_IMAGE.replace('sha256', 'sha512'), TEST_IMAGE.slice('sha256:'.length), ` ${TEST_IMAGE}`, `${TEST_IMAGE}0`, TEST_IMAGE.slice(0, -1), '', null, [TEST_IMAGE]].map((value): Row => [`digest ${JSON.stringify(value)}`, ['image'], at('submods.container.image_digest', value)]),
    ['signed by nobody that is accepted', ['image_signatures'], {}, { imageSigners: ['a'.repeat(64)] }],
    ['signed in a way that nobody knows', ['image_signatures'], at('submods.container.image_signatures', [{ key_id: 'a'.repeat(64), signature: '', signature_algorithm: 'RSASSA_PKCS1V15_SHA1' }]), { imageSigners: ['a'.repeat(64)] }]
  ])('J8 %s', async (_, refusals, mint, policy) => refuses(refusals, mint, policy));
});

describe('J9 what the operator changed', () => {
  const allOf = (value: readonly Json[], title: string, path: string, check: string): Row[] => value.map(item => [`${title} ${JSON.stringify(item)}`, [check], at(path, item)]);
  test.each<Row>([
    ['a variable that no policy names', ['env_override'], { envOverride: { LD_PRELOAD: '/x' } }],
    ['one variable more than the policy names', ['env_override'], { envOverride: { CLOISTER_JOB: 'x', PATH: '/x' } }],
    ['a variable in another case', ['env_override'], { envOverride: { cloister_job: 'x' } }],
    ...allOf([['CLOISTER_JOB'], 'CLOISTER_JOB', 1, true, { CLOISTER_JOB: 1 }, { CLOISTER_JOB: null }], 'overrides', 'submods.container.env_override', 'env_override'),
    ...allOf([['sh'], [''], 'sh', {}, [null], false], 'command', 'submods.container.cmd_override', 'command'),
    ['the image’s own command where the policy names another', ['command'], {}, { command: ['a'] }],
    ['another command than the policy names', ['command'], at('submods.container.cmd_override', ['a', 'b']), { command: ['a'] }],
    ['arguments other than the policy names', ['arguments'], at('submods.container.args', ['node', 'other.mjs']), { args: ['node', 'runner.mjs'] }],
    ['no arguments where the policy names some', ['arguments'], at('submods.container.args'), { args: ['node', 'runner.mjs'] }],
    ...allOf(['node', [1], {}, null], 'arguments', 'submods.container.args', 'arguments'),
    ...allOf(['Always', 'OnFailure', 'never', '', null, ['Never']], 'restart policy', 'submods.container.restart_policy', 'restart'),
    ['no restart policy', ['restart'], at('submods.container.restart_policy')],
    ['a variable of the container outside the list', ['variables'], at('submods.container.env', { PATH: '/usr/bin', NODE_OPTIONS: '--inspect' }), { env: ['PATH'] }],
    ...allOf([['PATH'], 'PATH', { PATH: 1 }], 'variables', 'submods.container.env', 'variables'),
    ...allOf([{ memory: true }, { memory: false, disk: true }, { memory: 'false' }, { memory: null }, { memory: 0 }, true, 'false', [false], null], 'monitoring', 'submods.confidential_space.monitoring_enabled', 'monitoring')
  ])('J9 %s', async (_, refusals, mint, policy) => refuses(refusals, mint, policy));
});

describe('J10 the right image, somewhere else', () => {
  test.each<Row>([
    ...['evil', 'TEST', 'test ', '', null, ['test'], 1].map((value): Row => [`project ${JSON.stringify(value)}`, ['project'], at('submods.gce.project_id', value)]),
    ['no project', ['project'], at('submods.gce.project_id')],
    ['another project number, where the policy names one', ['project'], at('submods.gce.project_number', '889537417992'), { projects: ['889537417991'] }],
    ['a project whose id is another’s number', ['project'], at('submods.gce.project_id', '889537417991'), { projects: ['889537417991'] }],
    ['another zone', ['zone'], at('submods.gce.zone', 'us-central1-a'), { zones: ['europe-west4-a'] }],
    ['no zone', ['zone'], at('submods.gce.zone'), { zones: ['europe-west4-a'] }],
    ['another service account', ['service_accounts'], claim('google_service_accounts', ['evil@x.iam.gserviceaccount.com']), { serviceAccounts: ['runner@x.iam.gserviceaccount.com'] }],
    ['one service account more', ['service_accounts'], claim('google_service_accounts', ['runner@x.iam.gserviceaccount.com', 'evil@x.iam.gserviceaccount.com']), { serviceAccounts: ['runner@x.iam.gserviceaccount.com'] }],
    ['service accounts that are no list', ['service_accounts'], claim('google_service_accounts', 'runner@x.iam.gserviceaccount.com')],
    ['another machine', ['instance'], { instance: 'job-2' }],
    ['no machine', ['instance'], at('submods.gce.instance_name')],
    ['no place at all', ['project', 'instance'], at('submods.gce')]
  ])('J10 %s', async (_, refusals, mint, policy) => refuses(refusals, mint, policy));

  test('J10 a machine without a name, where any will do', async () => {
    const { audience, nonce, policy, freshness } = google.expect;
    const token = await google.mint(at('submods.gce.instance_name'));
    const { checks } = await verifyAttestation(token, { trust: { verifiers: [google.verifier.pinned] }, expect: { audience, nonce, policy, freshness }, now: TEST_TIME });
    expect(checks.filter(check => check.status !== 'pass').map(check => check.id)).toEqual(['instance']);
  });
});

describe('J12 nonce', () => {
  const fill = (count: number): string[] => Array.from({ length: count }, (_, n) => `another-nonce-${n}`);
  test.each<Json>([
    'another', '', TEST_NONCE.slice(0, -1), `${TEST_NONCE}A`, TEST_NONCE.toUpperCase(), ` ${TEST_NONCE}`, `${TEST_NONCE}\n`, 7, true, null, {}, { 0: TEST_NONCE }, [], [TEST_NONCE], [[TEST_NONCE], 'x'], [TEST_NONCE, 7], [TEST_NONCE, null],
    [TEST_NONCE, TEST_NONCE], ['another', 'third'], [TEST_NONCE, ...fill(4), TEST_NONCE], [TEST_NONCE, ...fill(6)], fill(6)
  ])('J12 %j', async nonce => refuses(['nonce'], claim('eat_nonce', nonce)));
  test('J12 no nonce', async () => refuses(['nonce'], claim('eat_nonce')));
});

describe('J13 firmware', () => {
  test.each<Row>([
    ...['Revoked', 'OutOfDate', 'ConfigurationNeeded', 'SWHardeningNeeded', 'uptodate', '', 7, null].map((value): Row => [`status ${JSON.stringify(value)}`, ['tcb'], at('tdx.gcp_attester_tcb_status', value)]),
    ['a revoked one, whatever the policy says', ['tcb'], at('tdx.gcp_attester_tcb_status', 'Revoked'), { tcb: 'any' }],
    ['a revoked one that the policy names', ['tcb'], at('tdx.gcp_attester_tcb_status', 'Revoked'), { tcb: ['Revoked'] }],
    ['no status', ['tcb'], at('tdx.gcp_attester_tcb_status')],
    ['no status, though the policy takes any', ['tcb'], claim('tdx', {}), { tcb: 'any' }],
    ...[null, 'UpToDate', [], [{ gcp_attester_tcb_status: 'UpToDate' }, { gcp_attester_tcb_status: 'UpToDate' }], [[{ gcp_attester_tcb_status: 'UpToDate' }]]].map((value): Row => [`tdx ${JSON.stringify(value)}`, ['tcb'], claim('tdx', value)]),
    ...[['AMD'], ['INTEL', 'AMD'], [], 'INTEL', null].map((value): Row => [`attester_tcb ${JSON.stringify(value)}`, ['tcb'], claim('attester_tcb', value)])
  ])('J13 %s', async (_, refusals, mint, policy) => refuses(refusals, mint, policy));

  test.each<Row>([
    ['out of date, as a real token of Intel’s was', ['tcb'], at('tdx.attester_tcb_status', 'OutOfDate')],
    ['revoked, whatever the policy says', ['tcb'], at('tdx.attester_tcb_status', 'Revoked'), { tcb: 'any' }],
    ['out of date by Google’s word beside its own', ['tcb'], at('tdx.gcp_attester_tcb_status', 'OutOfDate')],
    ['Google’s word alone', ['tcb'], at('tdx.attester_tcb_status')]
  ])('J13 Intel Trust Authority: %s', async (_, refusals, mint, policy) => refuses(refusals, mint, policy, intel));

  test('J13 out of date is taken where the policy says so', async () => {
    expect(await intel.refusals(await intel.mint(at('tdx.attester_tcb_status', 'OutOfDate')), { policy: { tcb: ['UpToDate', 'OutOfDate'] } })).toEqual([]);
  });
});

describe('J14 another service of the same issuer', () => {
  test('J14 a Confidential VM’s token: no swname, no container', async () => {
    await refuses(['software', 'image', 'restart'], { paths: { swname: undefined, 'submods.container': undefined } });
    await refuses(['software'], claim('swname'));
  });
  test('J14 a service whose tokens have other claims altogether', async () => {
    const { verifier } = google;
    const payload = { iss: GOOGLE_ISSUER, aud: 'urn:cloister:release', iat: SECONDS, nbf: SECONDS, exp: SECONDS + 3600, sub: 'x', eat_nonce: TEST_NONCE };
    const token = await verifier.sign({ header: JSON.stringify({ alg: 'RS256', typ: 'JWT', kid: 'test-key' }), payload: JSON.stringify(payload) });
    expect(await google.refusals(token)).toEqual(['hardware', 'software', 'secure_boot', 'debug', 'support', 'image', 'restart', 'project', 'instance']);
  });
});
