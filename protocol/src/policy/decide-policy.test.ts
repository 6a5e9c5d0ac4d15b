import { beforeAll, describe, expect, test } from 'vitest';
import { digestOfJson } from '../bytes/digest.js';
import { createTestRule, createTestSigner, createTestWorld, type TestWorld } from '../testing/index.js';
import type { Policy, Rule } from '../objects/policy.js';
import { decidePolicy, type PolicyDecision, type PolicyFacts } from './decide-policy.js';
import { intersectObligations, obligationsOf } from './obligations.js';

let world: TestWorld;
let facts: PolicyFacts;
beforeAll(async () => {
  world = await createTestWorld({ owners: ['hospital', 'registry'] });
  const [owner] = world.owners;
  if (owner === undefined) throw new Error('no owner');
  facts = {
    asset: owner.descriptor.digest,
    policy: owner.policy.digest,
    manifest: world.manifest.payload,
    now: world.now,
    approval: 'none',
    used: () => ({ jobsReleased: 0, jobsReserved: 0, attempts: 0 })
  };
});

const policyOf = (...rules: Partial<Rule>[]): Policy => ({
  v: 1,
  version: 1,
  asset: { owner: world.analyst.thumbprint, name: 'table' },
  allow: rules.map((rule, at) => createTestRule({ id: `rule-${at}`, analysts: [world.analyst.thumbprint], images: [world.image], ...rule }))
});
const codes = (decision: PolicyDecision): string[] => ('denials' in decision ? decision.denials.map(denial => denial.code) : []);

describe('denies by default', () => {
  test('a policy without rules, which is also how an owner stops', () => {
    const decision = decidePolicy(policyOf(), facts);
    expect(decision.kind).toBe('deny');
    expect(codes(decision)).toEqual(['policy_empty']);
  });

  test.each<[string, () => Partial<Rule>, string]>([
    ['an analyst not listed', () => ({ analysts: [] }), 'analyst'],
    ['code not listed', () => ({ code: [digestOfJson('other')] }), 'code'],
    ['no code listed', () => ({ code: [] }), 'code'],
    ['an environment not listed', () => ({ environments: [] }), 'environment'],
    ['parameters not listed', () => ({ parameters: [] }), 'parameters'],
    ['a join with a stranger', () => ({ inputs: [] }), 'inputs'],
    ['after its end', () => ({ expires: world.now.toISOString() }), 'expired'],
    ['no uses', () => ({ uses: 0 }), 'uses_exhausted'],
    ['no attempts', () => ({ attempts: 0 }), 'attempts_exhausted']
  ])('%s', (_, rule, code) => {
    const decision = decidePolicy(policyOf(rule()), facts);
    expect(decision.kind).toBe('deny');
    expect(codes(decision)).toEqual([code]);
  });

  test('a check of the token that did not pass, skipped and unknown ones too', () => {
    for (const status of ['fail', 'skipped', 'unknown'] as const) {
      const decision = decidePolicy(policyOf({}), { ...facts, attestation: () => [{ id: 'image', title: '', status }] });
      expect(codes(decision)).toEqual(['image']);
    }
  });

  test('all rules are told, with what each expected', async () => {
    const other = await createTestSigner();
    const decision = decidePolicy(policyOf({ analysts: [other.thumbprint] }, { code: [] }), facts);
    expect(codes(decision)).toEqual(['analyst', 'code']);
    expect(decision).toMatchObject({ denials: [{ rule: 'rule-0', expected: [other.thumbprint], actual: world.analyst.thumbprint }, { rule: 'rule-1' }] });
  });
});

describe('allows', () => {
  test('by the first rule that does', () => {
    const decision = decidePolicy(policyOf({ analysts: [] }, { maxOutputBytes: 5 }, { maxOutputBytes: 'any' }), facts);
    expect(decision).toMatchObject({ kind: 'allow', rule: { id: 'rule-1' }, obligations: { maxOutputBytes: 5 } });
  });

  test('approved code, and waits for the approval where nothing else is missing', () => {
    const policy = policyOf({ code: 'approved' });
    expect(decidePolicy(policy, facts).kind).toBe('wait');
    expect(decidePolicy(policy, { ...facts, approval: 'approved' }).kind).toBe('allow');
    expect(decidePolicy(policy, { ...facts, approval: 'refused' }).kind).toBe('deny');
    expect(decidePolicy(policyOf({ code: 'approved', analysts: [] }), facts).kind).toBe('deny');
  });

  test('a last use that is merely reserved may come free', () => {
    const policy = policyOf({ uses: 2 });
    const used = (jobsReleased: number, jobsReserved: number) => () => ({ jobsReleased, jobsReserved, attempts: 0 });
    expect(decidePolicy(policy, { ...facts, used: used(1, 0) }).kind).toBe('allow');
    expect(decidePolicy(policy, { ...facts, used: used(1, 1) }).kind).toBe('reserved');
    expect(decidePolicy(policy, { ...facts, used: used(2, 0) }).kind).toBe('deny');
  });
});

test('obligations: the strictest of all', () => {
  const sizes = [createTestRule({ maxOutputBytes: 10, expires: '2030-01-01T00:00:00.000Z' }), createTestRule({ maxOutputBytes: 'any' }), createTestRule({ maxOutputBytes: 7, expires: '2029-01-01T00:00:00.000Z' })];
  expect(intersectObligations(sizes.map(obligationsOf))).toMatchObject({ maxOutputBytes: 7, expires: '2029-01-01T00:00:00.000Z' });
  expect(intersectObligations([])).toMatchObject({ maxOutputBytes: 'any', expires: 'any' });
});
