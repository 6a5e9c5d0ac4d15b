import { beforeAll, expect, test } from 'vitest';
import type { Check } from '../attestation/check.js';
import { HARDWARE_CHECKS } from '../attestation/checks/index.js';
import { GOOGLE_ISSUER, SIMULATOR_ISSUER } from '../attestation/issuers.js';
import type { PinnedVerifier } from '../objects/trust.js';
import { createTestReport, createTestVerifier, createTestWorld, type TestVerifier } from '../testing/index.js';
import { readReport, type ReportEvidence } from './evidence.js';
import { isBySimulator, shownChecks } from './shown-checks.js';

let simulator: TestVerifier;
let google: TestVerifier;
let genuine: ReportEvidence;
let mint: (claims: Readonly<Record<string, string>>) => Promise<string>;

beforeAll(async () => {
  [simulator, google] = await Promise.all([createTestVerifier(), createTestVerifier({ kind: 'google' })]);
  const world = await createTestWorld();
  genuine = await readReport((await createTestReport(world, google)).report);
  mint = claims => google.mint({ audience: 'x', nonces: ['n'], image: world.image, instance: 'job-1', issuedAt: new Date('2026-06-01T12:00:00.000Z'), claims });
});

const HARDWARE: Check = { id: 'hardware', title: 'Hardware', status: 'pass', actual: 'X' };
const nobody = { verifiers: [] };
const pin = (...verifiers: PinnedVerifier[]): { verifiers: PinnedVerifier[] } => ({ verifiers });

test('what hardware says itself is shown as passed', () => {
  expect(shownChecks({ verdict: 'verified', checks: [HARDWARE], evidence: genuine }, pin(google.pinned, simulator.pinned))).toEqual([{ id: 'hardware', title: 'Hardware', status: 'pass' }]);
});

test('what a simulator says of hardware is never shown as passed, and nothing else changes', () => {
  const checks = [...HARDWARE_CHECKS, 'signature'].flatMap(id => (['pass', 'fail', 'unknown', 'skipped'] as const).map((status): Check => ({ id, title: id, status })));
  const shown = shownChecks({ verdict: 'simulated', checks, evidence: genuine }, nobody);
  expect(shown.filter(({ status }) => status === 'pass').map(({ id }) => id)).toEqual(['signature']);
  expect(shown.filter(({ status }) => status === 'simulated').map(({ id }) => id)).toEqual([...HARDWARE_CHECKS]);
  expect(shown.filter(({ status }) => status === 'fail')).toHaveLength(HARDWARE_CHECKS.size + 1);
});

test.each<[string, Readonly<Record<string, string>>, () => { verifiers: PinnedVerifier[] }, boolean]>([
  ['that the reader pinned as a simulator', {}, () => pin({ ...google.pinned, kind: 'simulator' }), true],
  ['that names itself the simulator', { iss: SIMULATOR_ISSUER }, () => pin(), true],
  ['whose hardware is simulated', { hwmodel: 'SIMULATED' }, () => pin(google.pinned), true],
  ['of hardware, where a simulator is pinned too', { iss: GOOGLE_ISSUER }, () => pin(simulator.pinned, google.pinned), false],
  ['of hardware that nobody pinned', {}, () => pin(), false]
])('also in a failed report: a token %s', async (_, claims, trust, simulated) => {
  const evidence = { ...genuine, token: await mint(claims) };
  expect(isBySimulator({ verdict: 'failed', checks: [], evidence }, trust())).toBe(simulated);
});

test('a report or a token that cannot be read is by nobody', () => {
  expect(isBySimulator({ verdict: 'failed', checks: [] }, pin({ ...google.pinned, kind: 'simulator' }))).toBe(false);
  expect(isBySimulator({ verdict: 'failed', checks: [], evidence: { ...genuine, token: 'x' } }, pin(simulator.pinned))).toBe(false);
});

test('what was compared is shown as text where a check did not pass', () => {
  const failed: Check = { id: 'image', title: 'Image', status: 'fail', expected: ['a'], actual: null, hint: 'Do this.' };
  const unknown: Check = { id: 'key', title: 'Key', status: 'unknown', expected: 'text' };
  expect(shownChecks({ verdict: 'failed', checks: [failed, unknown] }, nobody)).toEqual([
    { id: 'image', title: 'Image', status: 'fail', expected: '["a"]', actual: '', hint: 'Do this.' },
    { id: 'key', title: 'Key', status: 'unknown', expected: 'text' }
  ]);
});
