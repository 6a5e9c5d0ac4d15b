import { BROKER_ROUTES, callRoute, digestOf, toTime, toUtf8, type Manifest } from '@cloister/protocol';
import { createTestSigner } from '@cloister/protocol/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listPolicies, readLedger } from '../owner/index.js';
import { attest, challenge, clientOf, createWorld, makeJob, makeRunner, putRules, release, runAttempt, type BrokerWorld } from '../testing/broker-world.js';
import { codeOf, denialIn, refusal } from '../testing/refusals.js';

let world: BrokerWorld;
beforeEach(async () => (world = await createWorld()));
afterEach(async () => world.close());

describe('what is denied before there is a token', () => {
  const later = (ms: number): string => toTime(new Date(world.clock.now().getTime() + ms));
  const JOBS: readonly { readonly name: string; readonly manifest: () => Partial<Manifest>; readonly attempt?: number; readonly code: string }[] = [
    { name: 'an expired manifest', manifest: () => ({ notAfter: later(0) }), code: 'manifest_expired' },
    { name: 'an attempt above the manifest’s limit', manifest: () => ({ maxAttempts: 1 }), attempt: 2, code: 'attempts_exhausted' }
  ];
  test.each(JOBS)('$name: $code', async ({ manifest, attempt, code }) => {
    const job = await makeJob(world, { manifest: manifest() });
    expect(await denialIn(world, challenge(world, job, attempt))).toMatchObject({ code, reasons: [code] });
    expect((await readLedger(world.ownerDeps)).at(-1)).toMatchObject({ kind: 'denial', job: job.digest, analyst: world.analyst.thumbprint });
  });

  test('a job of which this broker keeps nothing: asset_not_here', async () => {
    const job = await makeJob(world, { inputs: [digestOf(toUtf8('elsewhere'))], custodian: 'stranger' });
    expect(await codeOf(challenge(world, job))).toBe('asset_not_here');
  });

  test('an asset without a policy: policy_missing', async () => {
    await world.close();
    world = await createWorld({ rule: undefined });
    expect(await codeOf(challenge(world, await makeJob(world, { custodian: 'stranger' })))).toBe('policy_missing');
  });

  test('a manifest that another key signed than the analyst it names', async () => {
    const job = await makeJob(world);
    const [header, , signature] = job.jws.split('.');
    const [, payload] = (await makeJob(world, { analyst: await createTestSigner() })).jws.split('.');
    expect(await codeOf(challenge(world, { ...job, jws: `${header}.${payload}.${signature}` }))).toBe('signature_invalid');
  });

  test('every rule’s reasons are told, with what was expected and what came', async () => {
    const digest = digestOf(toUtf8('reviewed code'));
    await putRules(world, [{ id: 'a', analysts: [] }, { id: 'b', code: [digest], environments: [] }]);
    const job = await makeJob(world);
    const { code, denial } = await denialIn(world, challenge(world, job));
    expect(code).toBe('released_never');
    expect(denial).toMatchObject({ job: job.digest, attempt: 1 });
    expect(denial.denials).toMatchObject([
      { asset: world.asset, rule: 'a', code: 'analyst', expected: 'an analyst whom the rule names', actual: world.analyst.thumbprint },
      { asset: world.asset, rule: 'b', code: 'code', expected: [digest], actual: job.payload.code.digest },
      { asset: world.asset, rule: 'b', code: 'environment', expected: [], actual: 'image' }
    ]);
  });
});

describe('a limit of uses', () => {
  beforeEach(async () => putRules(world, [{ uses: 1 }]));

  test('the last use is reserved for one job, and another is told how long to wait', async () => {
    await challenge(world, await makeJob(world));
    const error = await refusal(challenge(world, await makeJob(world)));
    expect(error.code).toBe('use_reserved');
    expect(error.members['retryAfterSeconds']).toBe(300);
  });

  test('many jobs at once: one gets the last use', async () => {
    const jobs = await Promise.all(Array.from({ length: 8 }, async () => makeJob(world)));
    const settled = await Promise.allSettled(jobs.map(async job => challenge(world, job)));
    expect(settled.filter(result => result.status === 'fulfilled')).toHaveLength(1);
  });

  test('a reservation ends with its challenge', async () => {
    await challenge(world, await makeJob(world));
    world.clock.advance(5 * 60_000);
    await runAttempt(world, await makeJob(world));
    expect(await codeOf(challenge(world, await makeJob(world)))).toBe('uses_exhausted');
  });

  test('another broker’s denial burns nothing: only a release consumes', async () => {
    const job = await makeJob(world);
    await challenge(world, job);
    expect((await listPolicies(world.ownerDeps))[0]?.uses).toEqual([{ rule: 'test', jobs: 0, attempts: 0 }]);
    await runAttempt(world, job);
    expect((await listPolicies(world.ownerDeps))[0]?.uses).toEqual([{ rule: 'test', jobs: 1, attempts: 1 }]);
  });

  test('uses count over all versions of the policy', async () => {
    await runAttempt(world, await makeJob(world));
    await putRules(world, [{ uses: 1, maxOutputBytes: 5 }]);
    expect(await codeOf(challenge(world, await makeJob(world)))).toBe('uses_exhausted');
    await putRules(world, [{ uses: 2 }]);
    await runAttempt(world, await makeJob(world));
  });

  test('two challenges of one job hold one use, and later attempts of it need no other', async () => {
    const job = await makeJob(world);
    await challenge(world, job);
    await runAttempt(world, job, 1);
    await runAttempt(world, job, 2);
    expect((await listPolicies(world.ownerDeps))[0]?.uses).toEqual([{ rule: 'test', jobs: 1, attempts: 2 }]);
  });
});

test('attempts of one job are limited by the rule', async () => {
  await putRules(world, [{ attempts: 1 }]);
  const job = await makeJob(world);
  await runAttempt(world, job, 1);
  expect(await denialIn(world, challenge(world, job, 2))).toMatchObject({ code: 'attempts_exhausted' });
});

describe('whoever holds a manifest and asks on and on', () => {
  test('gets the challenge that the attempt has, and the runner keeps it', async () => {
    const job = await makeJob(world);
    const own = await challenge(world, job);
    for (let count = 0; count < 70; count += 1) expect(await challenge(world, job)).toBe(own);
    await release(world, await attest(world, job, { runner: await makeRunner(), challenge: own }));
  });

  test('leaves the runner half of a challenge’s time at least', async () => {
    const job = await makeJob(world);
    const early = await challenge(world, job);
    world.clock.advance(150_000);
    const own = await challenge(world, job);
    expect(own).not.toBe(early);
    world.clock.advance(150_000);
    expect(await codeOf(release(world, await attest(world, job, { runner: await makeRunner(), challenge: early })))).toBe('challenge_unknown');
    world.clock.advance(149_999);
    await release(world, await attest(world, job, { runner: await makeRunner(), challenge: own }));
  });

  test('does not keep the last use from others for longer than one challenge lives', async () => {
    await putRules(world, [{ uses: 1 }]);
    const [held, other] = [await makeJob(world), await makeJob(world)];
    for (let count = 0; count < 5; count += 1) {
      await challenge(world, held);
      expect((await refusal(challenge(world, other))).members['retryAfterSeconds']).toBe(300 - count * 60);
      world.clock.advance(60_000);
    }
    await challenge(world, held);
    await runAttempt(world, other);
    expect(await codeOf(challenge(world, held))).toBe('uses_exhausted');
  });

  test('is denied once the policy is, though a challenge is open', async () => {
    const job = await makeJob(world);
    await challenge(world, job);
    await putRules(world, []);
    expect(await codeOf(challenge(world, job))).toBe('released_never');
  });

  test('another attempt has a challenge of its own', async () => {
    const job = await makeJob(world);
    expect(await challenge(world, job, 2)).not.toBe(await challenge(world, job, 1));
  });
});

test('N4 open challenges are bounded for each analyst, and what was dropped cannot be used', async () => {
  await world.close();
  world = await createWorld({ rule: {}, limits: { challenges: { perAnalyst: 2, total: 100 } } });
  const job = await makeJob(world);
  const [first, , third] = [await challenge(world, job), await challenge(world, job, 2), await challenge(world, job, 3)];
  expect(await codeOf(release(world, await attest(world, job, { runner: await makeRunner(), challenge: first })))).toBe('challenge_unknown');
  await release(world, await attest(world, job, { runner: await makeRunner(), attempt: 3, challenge: third }));
});

test('N4 open challenges are bounded in all', async () => {
  await world.close();
  world = await createWorld({ rule: {}, limits: { challenges: { perAnalyst: 100, total: 2 } } });
  const job = await makeJob(world);
  const first = await challenge(world, job);
  await challenge(world, await makeJob(world));
  await challenge(world, await makeJob(world));
  expect(await codeOf(release(world, await attest(world, job, { runner: await makeRunner(), challenge: first })))).toBe('challenge_unknown');
});

test('N3 challenges are 32 random bytes, never the same', async () => {
  const challenges = [];
  for (let count = 0; count < 5; count += 1) challenges.push(await challenge(world, await makeJob(world)));
  expect(new Set(challenges).size).toBe(5);
  for (const text of challenges) expect(Buffer.from(text, 'base64url')).toHaveLength(32);
});

describe('denials are rate-limited', () => {
  beforeEach(async () => {
    await world.close();
    world = await createWorld({ rule: {}, limits: { unlisted: { burst: 2, refillMs: 10_000 }, strangers: { burst: 3, refillMs: 10_000 } } });
  });

  test('for an analyst whom no policy names, and nothing more is recorded', async () => {
    const job = await makeJob(world, { analyst: await createTestSigner() });
    expect([await codeOf(challenge(world, job)), await codeOf(challenge(world, job))]).toEqual(['released_never', 'released_never']);
    const { code, members } = await refusal(challenge(world, job));
    expect({ code, wait: members['retryAfterSeconds'] }).toEqual({ code: 'rate_limited', wait: 10 });
    expect((await readLedger(world.ownerDeps)).filter(entry => entry.kind === 'denial')).toHaveLength(2);
    world.clock.advance(10_000);
    expect(await codeOf(challenge(world, job))).toBe('released_never');
  });

  test('for all of them together, since keys cost nothing; a listed analyst is not touched', async () => {
    const codes = [];
    for (let count = 0; count < 4; count += 1) codes.push(await codeOf(challenge(world, await makeJob(world, { analyst: await createTestSigner() }))));
    expect(codes).toEqual(['released_never', 'released_never', 'released_never', 'rate_limited']);
    expect(await codeOf(challenge(world, await makeJob(world, { manifest: { maxAttempts: 1 } }), 2))).toBe('attempts_exhausted');
  });
});

describe('checks', () => {
  const check = async (signer: typeof world.analyst | undefined, job: { jws: string }) =>
    callRoute(signer === undefined ? world.client : clientOf(world, signer), BROKER_ROUTES.checkManifest, { body: { manifest: job.jws } });

  test('tell the analyst rule and terms, and anybody else the decision alone', async () => {
    const job = await makeJob(world);
    expect(await check(undefined, job)).toEqual({ decision: 'allow' });
    expect(await check(await createTestSigner(), job)).toEqual({ decision: 'allow' });
    expect(await check(world.analyst, job)).toMatchObject({
      decision: 'allow',
      denials: [],
      assets: [
        { asset: world.asset, decision: 'allow', version: 1, rule: { id: 'test' }, denials: [] },
        { bundle: job.payload.code.bundle, decision: 'allow', denials: [] }
      ]
    });
  });

  test('reserve nothing and record nothing', async () => {
    await putRules(world, [{ uses: 1 }]);
    await check(world.analyst, await makeJob(world));
    await challenge(world, await makeJob(world));
    const entries = await readLedger(world.ownerDeps);
    expect(await check(world.analyst, await makeJob(world, { manifest: { notAfter: toTime(world.clock.now()) } }))).toMatchObject({
      decision: 'deny',
      denials: [{ code: 'manifest_expired' }]
    });
    expect(await readLedger(world.ownerDeps)).toEqual(entries);
  });

  test('say wait where only an approval is missing, and where a use is merely reserved', async () => {
    await putRules(world, [{ code: 'approved' }]);
    expect(await check(world.analyst, await makeJob(world))).toMatchObject({ decision: 'wait', assets: [{ denials: [{ code: 'approval_missing' }] }, { decision: 'allow' }] });
    expect(await codeOf(challenge(world, await makeJob(world)))).toBe('approval_missing');
    await putRules(world, [{ uses: 1 }]);
    await challenge(world, await makeJob(world));
    expect(await check(world.analyst, await makeJob(world))).toMatchObject({ decision: 'wait', assets: [{ denials: [{ code: 'use_reserved' }] }, {}] });
  });

  test('count every released attempt as another one, since a new one is what is asked for', async () => {
    await putRules(world, [{ attempts: 1 }]);
    const job = await makeJob(world);
    await runAttempt(world, job);
    expect(await check(undefined, job)).toEqual({ decision: 'deny' });
  });
});
