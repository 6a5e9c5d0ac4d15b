import { beforeAll, describe, expect, test } from 'vitest';
import type { Json } from '../bytes/json.js';
import type { AppraisalPolicy } from '../objects/trust.js';
import { createTestRelyingParty, TEST_IMAGE, TEST_NONCE, TEST_TIME, type MintOptions, type TestRelyingParty, type TestVerification } from '../testing/index.js';
import type { CheckOutcome } from './check.js';
import { verifyAttestation } from './verify.js';

/** What people and programs read of a check: not only that it passed or failed, but what was demanded and what was found. */
let google: TestRelyingParty;
beforeAll(async () => {
  google = await createTestRelyingParty({ kind: 'google' });
}, 60_000);

async function answer(id: string, token: string, over: TestVerification = {}): Promise<unknown> {
  const expectation = { ...google.expect, policy: { ...google.expect.policy, ...over.policy }, ...over.expect };
  const trust = { verifiers: [...(over.pinned ?? [google.verifier.pinned])] };
  const { checks } = await verifyAttestation(token, { trust, expect: expectation, now: over.now ?? TEST_TIME });
  const found = checks.find(check => check.id === id);
  return Object.fromEntries(Object.entries(found ?? {}).filter(([name]) => name !== 'id' && name !== 'title'));
}

const SECONDS = TEST_TIME.getTime() / 1000;
const at = (path: string, value?: Json): Partial<MintOptions> => ({ paths: { [path]: value } });
const claim = (name: string, value?: Json): Partial<MintOptions> => ({ claims: { [name]: value } });
const container = (name: string, value?: Json): Partial<MintOptions> => at(`submods.container.${name}`, value);
const yes = (actual?: Json): CheckOutcome => (actual === undefined ? { status: 'pass' } : { status: 'pass', actual });
const no = (expected: Json, actual: Json, hint?: string): CheckOutcome => ({ status: 'fail', expected, actual, ...(hint === undefined ? {} : { hint }) });

type Row = [check: string, outcome: CheckOutcome, mint?: Partial<MintOptions>, policy?: Partial<AppraisalPolicy>];
const SIGNED = [{ key_id: 'a'.repeat(64), signature: 'x', signature_algorithm: 'ECDSA_P256_SHA256' }];
const GPU = { cc_mode: 'ON', gpus: [{ hwmodel: 'GCP_NVIDIA_H100' }] };

describe('a yes says what was found', () => {
  test.each<Row>([
    ['token_form', yes()],
    ['encoding', yes()],
    ['unique_keys', yes()],
    ['issuer', yes('https://confidentialcomputing.googleapis.com')],
    ['algorithm', yes('RS256')],
    ['key', yes('test-key')],
    ['key', yes('certificate chain to a pinned root'), { kind: 'pki' }],
    ['signature', yes('RS256')],
    ['audience', yes('urn:cloister:release')],
    ['nonce', yes(TEST_NONCE)],
    ['lifetime', yes(3600)],
    ['issued', yes('2026-06-01T12:00:00.000Z')],
    ['freshness', yes(0)],
    ['hardware', yes('GCP_INTEL_TDX')],
    ['software', yes('CONFIDENTIAL_SPACE')],
    ['secure_boot', yes(true)],
    ['debug', yes('disabled-since-boot')],
    ['support', yes(['LATEST', 'STABLE', 'USABLE'])],
    ['support', yes(['USABLE']), at('submods.confidential_space.support_attributes', ['USABLE']), { attributes: 'any' }],
    ['support', yes([]), at('submods.confidential_space.support_attributes'), { attributes: 'any' }],
    ['tcb', yes(['UpToDate'])],
    ['tcb', yes('this hardware states none'), { claims: { hwmodel: 'GCP_AMD_SEV', tdx: undefined, attester_tcb: undefined } }],
    ['gpu', yes('no GPU')],
    ['gpu', yes(['GCP_NVIDIA_H100']), at('submods.nvidia_gpu', GPU)],
    ['image', yes(TEST_IMAGE)],
    ['image_signatures', yes(['a'.repeat(64)]), container('image_signatures', SIGNED), { imageSigners: ['a'.repeat(64)] }],
    ['image_signatures', yes([]), {}],
    ['command', yes('the image’s own')],
    ['command', yes(['node', 'x']), container('cmd_override', ['node', 'x']), { command: ['node', 'x'] }],
    ['command', yes('the image’s own'), container('cmd_override', []), { command: [] }],
    ['arguments', yes(['node', 'runner.mjs'])],
    ['arguments', yes(['node', 'runner.mjs']), {}, { args: ['node', 'runner.mjs'] }],
    ['env_override', yes(['CLOISTER_JOB'])],
    ['env_override', yes(['A', 'B']), container('env_override', { B: '', A: '' }), { envOverrides: 'any' }],
    ['env_override', yes([]), container('env_override')],
    ['variables', yes(['CLOISTER_JOB', 'PATH'])],
    ['variables', yes(['A', 'B']), container('env', { B: '', A: '' }), { env: ['A', 'B'] }],
    ['variables', yes([]), container('env'), { env: [] }],
    ['restart', yes('Never')],
    ['tcb', yes(['OutOfDate']), claim('tdx', { gcp_attester_tcb_status: 'OutOfDate' }), { tcb: 'any' }],
    ['arguments', yes(), container('args'), { args: [] }],
    ['project', yes('p1'), at('submods.gce.project_id', 'p1'), { projects: ['p1'] }],
    ['project', yes('1p'), at('submods.gce.project_id', '1p'), { projects: ['1p'] }],
    ['project', yes('test'), {}, { projects: ['1'] }],
    ['service_accounts', yes(['a@b']), claim('google_service_accounts', ['a@b'])],
    ['service_accounts', yes([]), claim('google_service_accounts'), { serviceAccounts: [] }],
    ['lifetime', yes(3600), claim('nbf', SECONDS + 60)],
    ['issued', yes('2026-06-01T12:01:00.000Z'), claim('iat', SECONDS + 60)],
    ['issued', yes('2026-06-01T11:59:00.000Z'), claim('iat', SECONDS - 60)],
    ['monitoring', yes()],
    ['monitoring', yes({ memory: true }), at('submods.confidential_space.monitoring_enabled', { memory: true }), { monitoring: 'any' }],
    ['project', yes('test')],
    ['project', yes('test'), {}, { projects: 'any' }],
    ['zone', yes('test')],
    ['zone', yes('test'), {}, { zones: ['test'] }],
    ['service_accounts', yes([])],
    ['service_accounts', yes(['a@b']), claim('google_service_accounts', ['a@b']), { serviceAccounts: ['a@b', 'c@d'] }],
    ['instance', yes('job-1')]
  ])('%s: %j', async (check, outcome, mint, policy) => {
    expect(await answer(check, await google.mint(mint), policy === undefined ? {} : { policy })).toStrictEqual(outcome);
  });
});

describe('a no says what was demanded and what was there instead', () => {
  test.each<Row>([
    ['issuer', no(['https://x.example'], 'https://confidentialcomputing.googleapis.com'), {}, { verifiers: ['https://x.example'] }],
    ['algorithm', no('no member that changes how the token is read', ['crit', 'zip']), { header: { zip: 'DEF', crit: ['b64'] } }],
    ['algorithm', no('JWT', 'JOSE'), { header: { typ: 'JOSE' } }],
    ['algorithm', no(['RS256'], 'RS512'), { header: { alg: 'RS512' } }],
    ['key', no('a key id', 7), { header: { kid: 7 } }],
    ['key', no('a time of issue', 'x'), claim('iat', 'x')],
    ['key', no('a certificate chain to a pinned root', 'x5c has not 3 certificates'), { kind: 'pki', header: { x5c: [] } }],
    ['audience', no('urn:cloister:release', ['urn:cloister:release']), claim('aud', ['urn:cloister:release'])],
    ['nonce', no(TEST_NONCE, ['x']), { nonces: ['x'] }],
    ['nonce', no(TEST_NONCE, 'eat_nonce is neither text nor two to six texts'), claim('eat_nonce', 7)],
    ['lifetime', no('iat, nbf and exp as whole seconds', 'missing'), claim('exp')],
    ['lifetime', no('up to 3600 s', 3601), claim('exp', SECONDS + 3601)],
    ['lifetime', no('a start at issue', 61), claim('nbf', SECONDS + 61)],
    ['lifetime', no('iat, nbf and exp as whole seconds', 'missing'), claim('iat')],
    ['lifetime', no('iat, nbf and exp as whole seconds', 'missing'), claim('nbf')],
    ['lifetime', no('up to 3600 s', 0), { claims: { nbf: SECONDS - 10, exp: SECONDS } }],
    ['issued', no('iat as whole seconds', 'missing'), claim('iat')],
    ['freshness', no('iat and exp as whole seconds', 'missing'), claim('iat')],
    ['issued', no('not issued in the future', '2026-06-01T12:01:01.000Z'), claim('iat', SECONDS + 61)],
    ['issued', no('issued after 2026-06-01T12:00:00.000Z', '2026-06-01T11:58:59.000Z'), claim('iat', SECONDS - 61)],
    ['freshness', no('iat and exp as whole seconds', 'missing'), claim('exp')],
    ['freshness', no('at most 300 s old', 301), claim('iat', SECONDS - 301)],
    ['freshness', no('not expired', '2026-06-01T12:00:00.000Z'), claim('exp', SECONDS)],
    ['hardware', no(['GCP_AMD_SEV', 'GCP_AMD_SEV_ES', 'GCP_INTEL_TDX'], 'GCP_SHIELDED_VM'), claim('hwmodel', 'GCP_SHIELDED_VM')],
    ['hardware', no('none', 'GCP_INTEL_TDX'), {}, { hardware: ['INTEL_TDX'] }],
    ['software', no('CONFIDENTIAL_SPACE', 'GCE', 'GCE: the operating system image was revoked or never validated'), claim('swname', 'GCE')],
    ['secure_boot', no(true, null), claim('secboot')],
    ['debug', no('disabled-since-boot', 'enabled', 'debug images give root to the operator'), claim('dbgstat', 'enabled')],
    ['support', no(['STABLE'], ['USABLE']), at('submods.confidential_space.support_attributes', ['USABLE'])],
    ['support', no(['STABLE'], null), at('submods.confidential_space.support_attributes')],
    ['tcb', no('an object with the status, or a list of one', []), claim('tdx', [])],
    ['tcb', no('a TCB status', []), claim('tdx', {})],
    ['tcb', no(['INTEL'], ['INTEL', 'INTEL']), claim('attester_tcb', ['INTEL', 'INTEL'])],
    ['tcb', no(['UpToDate'], ['OutOfDate']), claim('tdx', { gcp_attester_tcb_status: 'OutOfDate' })],
    ['tcb', no('not Revoked', ['Revoked']), claim('tdx', { gcp_attester_tcb_status: 'Revoked' }), { tcb: 'any' }],
    ['gpu', no('a GPU in confidential-compute mode', 'no GPU'), {}, { gpu: 'required' }],
    ['gpu', no('no GPU', GPU), at('submods.nvidia_gpu', GPU), { gpu: 'none' }],
    ['gpu', no('ON', 'DEVTOOLS'), at('submods.nvidia_gpu', { ...GPU, cc_mode: 'DEVTOOLS' })],
    ['gpu', no('GPUs with a model', [{}]), at('submods.nvidia_gpu', { ...GPU, gpus: [{}] })],
    ['gpu', no('GPUs with a model', []), at('submods.nvidia_gpu', { ...GPU, gpus: [] })],
    ['gpu', no('GPUs with a model', null), at('submods.nvidia_gpu', { cc_mode: 'ON' })],
    ['gpu', no('GPUs with a model', [...GPU.gpus, 'x']), at('submods.nvidia_gpu', { ...GPU, gpus: [...GPU.gpus, 'x'] })],
    ['image', no([TEST_IMAGE], null, 'list the image’s digest only after you rebuilt or reviewed it'), container('image_digest')],
    ['image_signatures', no('a list of signatures with key id and a known algorithm', 'x'), container('image_signatures', 'x')],
    ['image_signatures', no(['b'.repeat(64)], ['a'.repeat(64)]), container('image_signatures', SIGNED), { imageSigners: ['b'.repeat(64)] }],
    ['image_signatures', no('none', ['a'.repeat(64)]), container('image_signatures', SIGNED), { imageSigners: [] }],
    ['command', no('no override', ['sh']), container('cmd_override', ['sh'])],
    ['command', no(['node'], 'the image’s own'), {}, { command: ['node'] }],
    ['command', no(['node'], ['sh']), container('cmd_override', ['sh']), { command: ['node'] }],
    ['arguments', no('a list of texts', ['node', 1]), container('args', ['node', 1])],
    ['arguments', no(['node'], ['node', 'runner.mjs']), {}, { args: ['node'] }],
    ['arguments', no('none', ['node', 'runner.mjs']), {}, { args: [] }],
    ['env_override', no('an object of overrides', 'something else'), container('env_override', ['x'])],
    ['env_override', no(['CLOISTER_JOB'], ['CLOISTER_JOB', 'LD_PRELOAD']), { envOverride: { LD_PRELOAD: '', CLOISTER_JOB: '' } }],
    ['variables', no('an object of texts', 'something else'), container('env', { A: 1 })],
    ['variables', no(['PATH'], ['CLOISTER_JOB', 'PATH']), {}, { env: ['PATH'] }],
    ['variables', no('an object of texts', 'something else'), container('env', { A: '', B: 1 })],
    ['monitoring', no({ memory: false }, { memory: 'x' }), at('submods.confidential_space.monitoring_enabled', { memory: 'x' }), { monitoring: 'any' }],
    ['monitoring', no({ memory: false }, { memory: true, x: 'y' }), at('submods.confidential_space.monitoring_enabled', { memory: true, x: 'y' }), { monitoring: 'any' }],
    ...[['x'], [null], [{ ...SIGNED[0], key_id: 1 }], [{ key_id: 'a' }], [{ signature_algorithm: 'ECDSA_P256_SHA256' }], [...SIGNED, 'x']].map((value): Row => [
      'image_signatures', no('a list of signatures with key id and a known algorithm', value), container('image_signatures', value)
    ]),
    ['restart', no(['Never'], 'Always'), container('restart_policy', 'Always')],
    ['monitoring', no({ memory: false }, { memory: true }), at('submods.confidential_space.monitoring_enabled', { memory: true })],
    ['project', no(['other', '2'], 'test'), {}, { projects: ['other', '2'] }],
    ['project', no('none', 'test'), {}, { projects: [] }],
    ['zone', no(['elsewhere'], 'test'), {}, { zones: ['elsewhere'] }],
    ['service_accounts', no('a list of texts', [1]), claim('google_service_accounts', [1])],
    ['service_accounts', no(['c@d'], ['a@b']), claim('google_service_accounts', ['a@b']), { serviceAccounts: ['c@d'] }],
    ['instance', no('job-1', 'job-2'), at('submods.gce.instance_name', 'job-2')]
  ])('%s: %j', async (check, outcome, mint, policy) => {
    expect(await answer(check, await google.mint(mint), policy === undefined ? {} : { policy })).toStrictEqual(outcome);
  });

  test('an instance where none is known beforehand: any name, but a name', async () => {
    const { audience, nonce, policy, freshness } = google.expect;
    const unnamed = { audience, nonce, policy, freshness };
    const ask = async (mint: Partial<MintOptions>): Promise<CheckOutcome | undefined> => {
      const { checks } = await verifyAttestation(await google.mint(mint), { trust: { verifiers: [google.verifier.pinned] }, expect: unnamed, now: TEST_TIME });
      return checks.find(({ id }) => id === 'instance');
    };
    expect(await ask({})).toMatchObject(yes('job-1'));
    expect(await ask(at('submods.gce.instance_name'))).toMatchObject(no('an instance name', null));
  });
});

describe('what cannot be asked or answered says why', () => {
  const skipped = (hint: string): CheckOutcome => ({ status: 'skipped', hint });
  const unknown = (hint: string): CheckOutcome => ({ status: 'unknown', hint });

  test.each<[check: string, outcome: CheckOutcome, over: TestVerification, mint?: Partial<MintOptions>]>([
    ['issuer', unknown('https://confidentialcomputing.googleapis.com is not pinned in the trust file'), { pinned: [] }],
    ['signature', skipped('the issuer is not pinned'), { pinned: [] }],
    ['key', unknown('no pinned key of https://confidentialcomputing.googleapis.com has the id other for RS256: update the trust file'), {}, { header: { kid: 'other' } }],
    ['signature', skipped('there is no key to check it with'), {}, { header: { kid: 'other' } }],
    ['key', skipped('the algorithm is none that this verifier signs with'), {}, { header: { alg: 'none' } }]
  ])('%s: %j', async (check, outcome, over, mint) => {
    expect(await answer(check, await google.mint(mint), over)).toStrictEqual(outcome);
  });

  test('roots that nobody pinned, a chain under an algorithm that nobody knows, and another’s signature', async () => {
    const pinned = [{ ...google.verifier.pinned, roots: [] }];
    expect(await answer('key', await google.mint({ kind: 'pki' }), { pinned })).toEqual(unknown('no root certificate of https://confidentialcomputing.googleapis.com is pinned: add one to the trust file'));
    expect(await answer('signature', await google.mint({ kind: 'pki', header: { alg: 'none' } }))).toEqual(skipped('the algorithm is none that this verifier signs with'));
    const [header, payload] = (await google.mint()).split('.');
    const [, , signature] = (await google.mint(claim('aud', 'x'))).split('.');
    expect(await answer('signature', [header, payload, signature].join('.'))).toEqual(no('a signature by this key', 'another'));
  });

  test('a token that cannot be read', async () => {
    const [header = '', payload = '', signature = ''] = (await google.mint()).split('.');
    const b64 = (text: string): string => Buffer.from(text).toString('base64url');
    const all = async (token: string): Promise<unknown[]> => Promise.all(['token_form', 'encoding', 'unique_keys', 'issuer'].map(id => answer(id, token)));
    const unread = skipped('the token cannot be read');
    const malformed = skipped('the token is not well formed');
    expect(await all('x.y')).toEqual([no('three parts, at most 32768 characters', '3 characters, 2 parts'), malformed, malformed, unread]);
    expect(await all('.'.repeat(20))).toEqual([no('three parts, at most 32768 characters', '20 characters, 9 parts'), malformed, malformed, unread]);
    expect(await all(`${header}.${payload}=.${signature}`)).toEqual([yes(), expect.objectContaining({ status: 'fail', expected: 'canonical unpadded base64url' }), skipped('the token cannot be decoded'), unread]);
    expect(await all(`${header}.${payload}.é`)).toEqual([yes(), no('canonical unpadded base64url', 'a character that is none of the alphabet'), skipped('the token cannot be decoded'), unread]);
    expect(await all(`${b64('[]')}.${payload}.${signature}`)).toEqual([yes(), yes(), no('a JSON object with each key once', 'header: not a JSON object'), unread]);
    expect(await all(`${header}.${b64('null')}.${signature}`)).toEqual([yes(), yes(), no('a JSON object with each key once', 'payload: not a JSON object'), unread]);
    const long = b64(JSON.stringify({ filler: 'x'.repeat(13_000) }));
    expect(await all(`${header}.${long}.${signature}`)).toEqual([no('at most 16384 characters without certificates', header.length + long.length + signature.length + 2), yes(), skipped('the token is too long'), unread]);
  });
});

test('every question has a title of its own', async () => {
  const { checks } = await verifyAttestation(await google.mint(), { trust: { verifiers: [google.verifier.pinned] }, expect: google.expect, now: TEST_TIME });
  expect(Object.fromEntries(checks.map(({ id, title }) => [id, title]))).toEqual({
    token_form: 'The token is well formed',
    encoding: 'The token can be decoded in one way only',
    unique_keys: 'The token says everything once',
    issuer: 'A verifier that you trust issued it',
    algorithm: 'It is signed as this verifier signs',
    key: 'The key that signed it is one that you trust',
    signature: 'The verifier’s signature holds',
    audience: 'The token was made for this purpose',
    nonce: 'The token answers for exactly this session or report',
    lifetime: 'The token lives for an hour at most',
    issued: 'The token was issued when it should have been',
    freshness: 'The token is fresh enough for its purpose',
    hardware: 'The hardware is of an accepted kind',
    software: 'It ran in Confidential Space',
    secure_boot: 'It booted only signed software',
    debug: 'Nobody could log in and look',
    support: 'The operating system image is still supported',
    tcb: 'The platform’s firmware is as current as you demand',
    gpu: 'A GPU, where there is one, keeps its memory from the operator',
    image: 'The runner is an accepted program',
    image_signatures: 'The program is signed by a key that you accept',
    command: 'The operator did not change the command',
    arguments: 'The program was started with accepted arguments',
    env_override: 'The operator set only allowed variables',
    variables: 'The program had only accepted variables',
    restart: 'The program runs once',
    monitoring: 'The operator does not monitor memory',
    project: 'It ran in an accepted cloud project',
    zone: 'It ran in an accepted zone',
    service_accounts: 'The machine acted in accepted names only',
    instance: 'It is the machine that was launched for this attempt'
  });
});
