import { beforeAll, describe, expect, test } from 'vitest';
import { createTestRule, createTestWorld, type TestWorld } from '../testing/index.js';
import type { Policy, Rule } from '../objects/policy.js';
import { decidePolicy, type PolicyFacts } from './decide-policy.js';
import { intersectObligations, obligationsOf } from './obligations.js';

/** A denial says what the owner demanded and what the job had: the analyst reads it, and it is all that she learns. */
let world: TestWorld;
let facts: PolicyFacts;
beforeAll(async () => {
  world = await createTestWorld({ owners: ['hospital', 'registry'] });
  const [owner] = world.owners;
  if (owner === undefined) throw new Error('no owner');
  facts = { asset: owner.descriptor.digest, policy: owner.policy.digest, manifest: world.manifest.payload, now: world.now, approval: 'none', used: () => ({ jobsReleased: 0, jobsReserved: 0, attempts: 0 }) };
});

const policyOf = (...rules: Partial<Rule>[]): Policy => ({
  v: 1, version: 1, asset: { owner: world.analyst.thumbprint, name: 'table' },
  allow: rules.map((rule, at) => createTestRule({ id: `rule-${at}`, analysts: [world.analyst.thumbprint], images: [world.image], ...rule }))
});
/** The one denial, without the names of asset and policy, which are always the same. */
function denial(rule: Partial<Rule> | undefined, over: Partial<PolicyFacts> = {}): unknown {
  const decision = decidePolicy(rule === undefined ? policyOf() : policyOf(rule), { ...facts, ...over });
  if (!('denials' in decision)) return decision.kind;
  const [only, ...more] = decision.denials;
  expect(more).toEqual([]);
  expect(only).toMatchObject({ asset: facts.asset, policy: facts.policy });
  return { kind: decision.kind, code: only?.code, expected: only?.expected, actual: only?.actual };
}
const used = (jobsReleased: number, jobsReserved: number, attempts = 0) => () => ({ jobsReleased, jobsReserved, attempts });

describe('a denial says', () => {
  test('that there is no rule', () => {
    expect(denial(undefined)).toEqual({ kind: 'deny', code: 'policy_empty', expected: 'a rule', actual: 'none' });
  });

  test('which input nobody may join', () => {
    const other = world.owners[1]?.descriptor.digest;
    expect(denial({ inputs: [] })).toEqual({ kind: 'deny', code: 'inputs', expected: [], actual: [other] });
    expect(denial({ inputs: other === undefined ? [] : [other] })).toBe('allow');
  });

  test('that the job does not ask for this asset', () => {
    expect(denial({ inputs: 'any' }, { manifest: { ...facts.manifest, inputs: [] } })).toEqual({ kind: 'deny', code: 'asset', expected: [], actual: facts.asset });
  });

  test('which approval is missing or was refused', () => {
    expect(denial({ code: 'approved' })).toEqual({ kind: 'wait', code: 'approval_missing', expected: 'approved', actual: 'none' });
    expect(denial({ code: 'approved' }, { approval: 'refused' })).toEqual({ kind: 'deny', code: 'approval_refused', expected: 'approved', actual: 'refused' });
  });

  test('how many uses and attempts there were', () => {
    expect(denial({ uses: 2 }, { used: used(2, 1) })).toEqual({ kind: 'deny', code: 'uses_exhausted', expected: 2, actual: 2 });
    expect(denial({ uses: 3 }, { used: used(1, 2) })).toEqual({ kind: 'reserved', code: 'use_reserved', expected: 3, actual: 3 });
    expect(denial({ uses: 3 }, { used: used(2, 0) })).toBe('allow');
    expect(denial({ attempts: 1 }, { used: used(0, 0, 1) })).toEqual({ kind: 'deny', code: 'attempts_exhausted', expected: 1, actual: 1 });
    expect(denial({ attempts: 9 }, { used: used(0, 0, 2) })).toEqual({ kind: 'deny', code: 'attempts_exhausted', expected: 2, actual: 2 });
    expect(denial({}, { used: used(0, 0, 2) })).toEqual({ kind: 'deny', code: 'attempts_exhausted', expected: 2, actual: 2 });
    expect(denial({ attempts: 2 }, { used: used(0, 0, 1) })).toBe('allow');
  });

  test('when a rule or the manifest ended, to the millisecond', () => {
    const end = '2030-01-01T00:00:00.000Z';
    const at = (offset: number): Partial<PolicyFacts> => ({ now: new Date(Date.parse(end) + offset), manifest: { ...facts.manifest, notAfter: '2040-01-01T00:00:00.000Z' } });
    expect(denial({ expires: end }, at(-1))).toBe('allow');
    expect(denial({ expires: end }, at(0))).toEqual({ kind: 'deny', code: 'expired', expected: end, actual: end });
    const manifest = { ...facts.manifest, notAfter: end };
    expect(denial({}, { manifest, now: new Date(Date.parse(end) - 1) })).toBe('allow');
    expect(denial({}, { manifest, now: new Date(end) })).toEqual({ kind: 'deny', code: 'manifest_expired', expected: end, actual: end });
  });

  test('that our own clock tells nothing', () => {
    expect(denial({}, { now: new Date(Number.NaN) })).toEqual({ kind: 'deny', code: 'manifest_expired', expected: facts.manifest.notAfter, actual: 'no valid time' });
  });

  test('which check of the token did not pass, and never one that did', () => {
    const passed = { id: 'debug', title: '', status: 'pass' } as const;
    expect(denial({}, { attestation: () => [passed] })).toBe('allow');
    expect(denial({}, { attestation: () => [passed, { id: 'image', title: '', status: 'fail', expected: ['a'], actual: 'b' }] })).toEqual({ kind: 'deny', code: 'image', expected: ['a'], actual: 'b' });
    expect(denial({}, { attestation: () => [{ id: 'key', title: '', status: 'unknown', hint: 'x' }, passed] })).toEqual({ kind: 'deny', code: 'key', expected: null, actual: 'unknown' });
    expect(denial({}, { attestation: () => [] })).toEqual({ kind: 'deny', code: 'attestation', expected: 'checks of a token', actual: 'none' });
  });
});

test('obligations: the smaller of two, whichever comes first', () => {
  const owed = (...sizes: (number | 'any')[]): unknown => intersectObligations(sizes.map(maxOutputBytes => obligationsOf(createTestRule({ maxOutputBytes })))).maxOutputBytes;
  expect([owed(7, 10), owed(10, 7), owed('any', 7), owed(7, 'any'), owed('any', 'any'), owed(7, 7)]).toEqual([7, 7, 7, 7, 'any', 7]);
});
