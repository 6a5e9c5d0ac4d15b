import { beforeAll, expect, test } from 'vitest';
import { createTestRelyingParty, TEST_TIME, type TestRelyingParty } from '../testing/index.js';
import { ATTESTATION_CHECK_IDS, verifyAttestation } from './verify.js';

/** What holds of every verification. Attacks and shapes have tests of their own beside this one. */
let party: TestRelyingParty;
let stranger: TestRelyingParty;
beforeAll(async () => {
  [party, stranger] = await Promise.all([createTestRelyingParty({ kind: 'google' }), createTestRelyingParty({ kind: 'google' })]);
}, 60_000);

const years = (count: number): Date => new Date(TEST_TIME.getTime() + count * 365 * 86_400_000);

test('every check is asked once, in one order, whatever the token', async () => {
  for (const token of ['', 'x', '..', await stranger.mint(), await party.mint(), await party.mint({ claims: { iss: 'x' } })]) {
    const { checks } = await verifyAttestation(token, { trust: { verifiers: [party.verifier.pinned] }, expect: party.expect, now: TEST_TIME });
    expect(checks.map(check => check.id)).toEqual(ATTESTATION_CHECK_IDS);
    expect(checks.every(check => check.title !== '')).toBe(true);
    for (const check of checks.filter(({ status }) => status === 'skipped' || status === 'unknown')) expect(check.hint).toBeTruthy();
    for (const check of checks.filter(({ status }) => status === 'fail')) expect(check).toMatchObject({ expected: expect.anything() as unknown });
  }
});

test('everything that is wrong is said at once', async () => {
  const token = await stranger.mint({ claims: { dbgstat: 'enabled', swname: 'GCE', aud: 'x' } });
  expect(await party.refusals(token)).toEqual(['signature', 'audience', 'software', 'debug']);
});

test('a signature by another key under the same key id', async () => {
  expect(await party.refusals(await stranger.mint())).toEqual(['signature']);
});

test('another verification of RSA signatures is asked instead of WebCrypto’s, and an error of its is a no', async () => {
  const verify = async (verifyRsa: () => boolean): Promise<boolean> => (await verifyAttestation(await party.mint(), { trust: { verifiers: [party.verifier.pinned] }, expect: party.expect, now: TEST_TIME, verifyRsa })).accepted;
  expect(await verify(() => true)).toBe(true);
  expect(await verify(() => false)).toBe(false);
  expect(await verify(() => { throw new Error('no such key'); })).toBe(false);
});

test('a report is judged at its time of issue: years later too, and never before', async () => {
  const token = await party.mint();
  const expectation = { freshness: { kind: 'report' } } as const;
  expect(await party.refusals(token, { expect: expectation, now: years(10) })).toEqual([]);
  expect(await party.refusals(token, { expect: expectation, now: years(-1) })).toEqual(['issued']);
});

test('P2 empty lists allow nothing', async () => {
  const nothing = { verifiers: [], images: [], projects: [], hardware: [], attributes: [], imageSigners: [], zones: [], restart: [], tcb: [], envOverrides: [], env: [], serviceAccounts: [] };
  const refused = ['issuer', 'hardware', 'tcb', 'image', 'image_signatures', 'env_override', 'variables', 'restart', 'project', 'zone'];
  expect(await party.refusals(await party.mint(), { policy: nothing })).toEqual(refused);
});

test('a verifier that is pinned by nobody', async () => {
  expect(await party.refusals(await party.mint(), { pinned: [] })).toEqual(ATTESTATION_CHECK_IDS.slice(ATTESTATION_CHECK_IDS.indexOf('issuer')));
});

test('P1 a policy that lacks a member, or says in one what no policy says, is an error and no permission', async () => {
  const token = await party.mint();
  const { policy } = party.expect;
  const judged = async (given: object): Promise<unknown> =>
    // Read from a file and never parsed, as by a program without types.
    verifyAttestation(token, { trust: { verifiers: [party.verifier.pinned] }, expect: { ...party.expect, policy: given as typeof policy }, now: TEST_TIME });
  for (const name of Object.keys(policy)) {
    const without = Object.fromEntries(Object.entries(policy).filter(([member]) => member !== name));
    await expect(judged(without), name).rejects.toMatchObject({ code: 'invalid_object' });
    await expect(judged({ ...policy, [name]: 'Required' }), name).rejects.toMatchObject({ code: 'invalid_object' });
  }
  for (const strange of [{}, { ...policy, gpus: 'required' }]) await expect(judged(strange)).rejects.toMatchObject({ code: 'invalid_object' });
  expect(await judged({ ...policy })).toMatchObject({ accepted: true });
});
