import { createId, type Check, type Manifest, type Rule } from '@cloister/protocol';
import { createTestRule, createTestWorld } from '@cloister/protocol/testing';
import { expect, test } from 'vitest';
import { decideJob, grantsOf, type AssetFacts, type JobFacts } from './decide.js';

const world = await createTestWorld();
const [owner] = world.owners;
if (owner === undefined) throw new Error('no owner');
const pass: Check = { id: 'image', title: '', status: 'pass' };

const unused = { jobsReleased: 0, jobsReserved: 0, attempts: 0 };
const asset: AssetFacts = {
  descriptor: owner.descriptor, policy: owner.policy, approval: 'none', uses: new Map([['test', unused]]), rolledBackTo: undefined
};
const facts: JobFacts = {
  manifest: world.manifest, attempt: 1, now: world.now, highestReleased: undefined, restoredAt: undefined, assets: [asset],
  code: { bound: true, analystListed: true, anyRolledBack: false }, attestation: undefined
};
const withManifest = (change: Partial<Manifest>): JobFacts['manifest'] => ({ ...world.manifest, payload: { ...world.manifest.payload, ...change } });
const madeAfter = (ms: number): JobFacts['manifest'] => withManifest({ id: createId(new Date(world.now.getTime() + ms)) });
const withRule = (...rules: Partial<Rule>[]): AssetFacts => ({
  ...asset,
  policy: { ...owner.policy, payload: { ...owner.policy.payload, allow: rules.map(rule => createTestRule({ analysts: [world.analyst.thumbprint], images: [world.image], ...rule })) } }
});
const used = (use: Partial<typeof unused>): AssetFacts['uses'] => new Map([['test', { ...unused, ...use }]]);

const TABLE: readonly { readonly name: string; readonly facts: Partial<JobFacts>; readonly outcome: string; readonly reasons: readonly string[] }[] = [
  { name: 'all is well', facts: {}, outcome: 'allow', reasons: [] },
  { name: 'the same attempt again', facts: { highestReleased: 1 }, outcome: 'allow', reasons: [] },
  { name: 'a lower attempt', facts: { highestReleased: 2 }, outcome: 'deny', reasons: ['attempt_superseded'] },
  { name: 'an attempt above the manifest’s limit', facts: { attempt: 3 }, outcome: 'deny', reasons: ['attempts_exhausted'] },
  { name: 'an expired manifest', facts: { now: new Date(world.manifest.payload.notAfter) }, outcome: 'deny', reasons: ['manifest_expired'] },
  { name: 'nothing here', facts: { assets: [], code: undefined }, outcome: 'deny', reasons: ['asset_not_here'] },
  { name: 'a job from before a restored backup', facts: { restoredAt: world.now }, outcome: 'deny', reasons: ['rolled_back'] },
  { name: 'a job from as far ahead as was let through before', facts: { restoredAt: world.now, manifest: madeAfter(60_000) }, outcome: 'deny', reasons: ['rolled_back'] },
  { name: 'a job from after it', facts: { restoredAt: world.now, now: new Date(world.now.getTime() + 60_001), manifest: madeAfter(60_001) }, outcome: 'allow', reasons: [] },
  { name: 'an id as far ahead as clocks may be', facts: { manifest: madeAfter(60_000) }, outcome: 'allow', reasons: [] },
  { name: 'an id from the future', facts: { manifest: madeAfter(60_001) }, outcome: 'deny', reasons: ['manifest_early'] },
  { name: 'an id from the last moment that an id can name', facts: { manifest: withManifest({ id: 'ffffffff-ffff-7000-8000-000000000000' }) }, outcome: 'deny', reasons: ['manifest_early'] },
  { name: 'no policy', facts: { assets: [{ ...asset, policy: undefined }] }, outcome: 'deny', reasons: ['policy_missing'] },
  { name: 'a policy without rules', facts: { assets: [withRule()] }, outcome: 'deny', reasons: ['policy_empty'] },
  { name: 'an asset that is rolled back, whatever its policy', facts: { assets: [{ ...asset, rolledBackTo: 1 }] }, outcome: 'deny', reasons: ['rolled_back'] },
  { name: 'one of two assets denies', facts: { assets: [asset, withRule({ analysts: [] })] }, outcome: 'deny', reasons: ['analyst'] },
  { name: 'one of two assets waits', facts: { assets: [asset, withRule({ code: 'approved' })] }, outcome: 'wait', reasons: ['approval_missing'] },
  { name: 'one waits, another denies', facts: { assets: [withRule({ code: 'approved' }), withRule({ analysts: [] })] }, outcome: 'deny', reasons: ['approval_missing', 'analyst'] },
  { name: 'an approved code', facts: { assets: [{ ...withRule({ code: 'approved' }), approval: 'approved' }] }, outcome: 'allow', reasons: [] },
  { name: 'a refused code', facts: { assets: [{ ...withRule({ code: 'approved' }), approval: 'refused' }] }, outcome: 'deny', reasons: ['approval_refused'] },
  { name: 'all uses consumed', facts: { assets: [{ ...withRule({ uses: 1 }), uses: used({ jobsReleased: 1 }) }] }, outcome: 'deny', reasons: ['uses_exhausted'] },
  { name: 'the last use reserved', facts: { assets: [{ ...withRule({ uses: 1 }), uses: used({ jobsReserved: 1 }) }] }, outcome: 'reserved', reasons: ['use_reserved'] },
  { name: 'all attempts used', facts: { assets: [{ ...withRule({ attempts: 1 }), uses: used({ attempts: 1 }) }] }, outcome: 'deny', reasons: ['attempts_exhausted'] },
  { name: 'a rule that has expired', facts: { assets: [withRule({ expires: world.now.toISOString() })] }, outcome: 'deny', reasons: ['expired'] },
  { name: 'code that is not bound', facts: { code: { bound: false, analystListed: true, anyRolledBack: false } }, outcome: 'deny', reasons: ['code_not_bound'] },
  { name: 'only code, of a stranger', facts: { assets: [], code: { bound: true, analystListed: false, anyRolledBack: false } }, outcome: 'deny', reasons: ['not_permitted'] },
  { name: 'only code, of a listed analyst', facts: { assets: [], code: { bound: true, analystListed: true, anyRolledBack: false } }, outcome: 'allow', reasons: [] },
  { name: 'code at a broker that is rolled back', facts: { code: { bound: true, analystListed: true, anyRolledBack: true } }, outcome: 'deny', reasons: ['rolled_back'] },
  { name: 'a token that passes', facts: { attestation: { ofRule: () => [pass], ofCode: [pass] } }, outcome: 'allow', reasons: [] },
  { name: 'a token that the rule refuses', facts: { attestation: { ofRule: () => [pass, { ...pass, status: 'fail' }], ofCode: [pass] } }, outcome: 'deny', reasons: ['image'] },
  { name: 'a token that the analyst refuses', facts: { attestation: { ofRule: () => [pass], ofCode: [{ ...pass, status: 'fail' }] } }, outcome: 'deny', reasons: ['image'] },
  { name: 'a check that was skipped', facts: { attestation: { ofRule: () => [{ ...pass, status: 'skipped' }], ofCode: [pass] } }, outcome: 'deny', reasons: ['image'] },
  { name: 'a check without an answer', facts: { attestation: { ofRule: () => [{ ...pass, status: 'unknown' }], ofCode: [pass] } }, outcome: 'deny', reasons: ['image'] }
];
test.each(TABLE)('$name: $outcome', ({ facts: change, outcome, reasons }) => {
  const decision = decideJob({ ...facts, ...change });
  expect(decision.outcome).toBe(outcome);
  expect([...new Set(decision.denials.map(denial => denial.code))]).toEqual(reasons);
});

test('grants name each asset with its policy and obligations, and the bundle', () => {
  const decision = decideJob({ ...facts, assets: [withRule({ id: 'test', analysts: [] }, { id: 'test', maxOutputBytes: 9 })] });
  expect(grantsOf(decision, world.manifest.payload)).toMatchObject([
    { asset: owner.descriptor.digest, policy: owner.policy.digest, obligations: { maxOutputBytes: 9 } },
    { bundle: world.manifest.payload.code.bundle, obligations: { outputs: 'release' } }
  ]);
});

test('a token that nobody asked anything is an error, never a yes', () => {
  expect(() => decideJob({ ...facts, attestation: { ofRule: () => [], ofCode: [pass] } })).toThrow('not asked');
  expect(() => decideJob({ ...facts, attestation: { ofRule: () => [pass], ofCode: [] } })).toThrow('not asked');
});

test('a rule whose uses were not counted is an error, never a yes', () => {
  expect(() => decideJob({ ...facts, assets: [{ ...asset, uses: new Map() }] })).toThrow('not counted');
});
