import { APPROVAL, BROKER_ROUTES, MANIFEST, callRoute, createId, signObject, type Approval } from '@cloister/protocol';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listPolicies, readLedger } from '../owner/index.js';
import { attest, challenge, createWorld, headsFileOf, makeJob, makeRunner, putRules, release, runAttempt, stateDirOf, type BrokerWorld } from '../testing/broker-world.js';
import { codeOf, denialIn } from '../testing/refusals.js';

let world: BrokerWorld;
beforeEach(async () => {
  world = await createWorld();
  await putRules(world, [{ uses: 1 }]);
});
afterEach(async () => world.close());

const backup = (): string => join(world.dir, 'backup');
const save = async (): Promise<void> => world.restart(async () => cp(stateDirOf(world.dir), backup(), { recursive: true }));
const restore = async (): Promise<void> =>
  world.restart(async () => {
    await rm(stateDirOf(world.dir), { recursive: true });
    await cp(backup(), stateDirOf(world.dir), { recursive: true });
  });
const ready = async (): Promise<unknown> => callRoute(world.client, BROKER_ROUTES.ready, {});

test('a restart over the same state is no rollback', async () => {
  await runAttempt(world, await makeJob(world));
  await world.restart();
  expect(await ready()).toMatchObject({ status: 'ok' });
});

describe('a database restored from before a release', () => {
  beforeEach(async () => {
    await save();
    await runAttempt(world, await makeJob(world));
    await restore();
  });

  test('releases nothing, though its counts say that a use is left, and says so', async () => {
    world.clock.advance(60_001);
    expect(await denialIn(world, challenge(world, await makeJob(world)))).toMatchObject({ code: 'rolled_back' });
    expect(await codeOf(ready())).toBe('rolled_back');
  });

  test('stays out of service over a restart', async () => {
    await world.restart();
    expect(await codeOf(ready())).toBe('rolled_back');
  });

  test('is noticed again where it is restored once more', async () => {
    await putRules(world, [{ uses: 1 }]);
    await restore();
    expect(await codeOf(ready())).toBe('rolled_back');
  });

  test('is back in service by a higher policy version, which states the remaining uses, and records the recovery', async () => {
    world.clock.advance(60_001);
    const policy = await putRules(world, [{ uses: 1 }]);
    expect(await ready()).toMatchObject({ status: 'ok' });
    await runAttempt(world, await makeJob(world));
    const kinds = (await readLedger(world.ownerDeps)).map(entry => entry.kind);
    expect(kinds).toEqual(['descriptor', 'policy', 'policy', 'policy', 'recovery', 'release']);
    expect((await listPolicies(world.ownerDeps))[0]).toMatchObject({ policy: policy.jws, uses: [{ jobs: 1 }] });
  });

  test('nor to one whose analyst wrote a later time into its id', async () => {
    await putRules(world, [{}]);
    const ahead = (ms: number): string => createId(new Date(world.clock.now().getTime() + ms));
    const [near, far] = [await makeJob(world, { manifest: { id: ahead(60_000) } }), await makeJob(world, { manifest: { id: ahead(600_000) } })];
    expect((await denialIn(world, challenge(world, near))).reasons).toContain('rolled_back');
    expect(await codeOf(challenge(world, far))).toBe('manifest_early');
  });

  test('never releases to a job from before it was noticed: which keys its attempts had is forgotten', async () => {
    const old = await makeJob(world);
    await putRules(world, [{}]);
    expect((await denialIn(world, challenge(world, old))).reasons).toContain('rolled_back');
  });
});

test('challenges from the backup are void', async () => {
  const job = await makeJob(world);
  const open = await challenge(world, job);
  await save();
  await putRules(world, [{}]);
  await restore();
  await putRules(world, [{}]);
  expect(await codeOf(release(world, await attest(world, job, { runner: await makeRunner(), challenge: open })))).toBe('challenge_unknown');
});

test('a database restored from before a stop does not put the old policy in force again', async () => {
  await save();
  const stop = await putRules(world, []);
  await restore();
  world.clock.advance(60_001);
  expect(await codeOf(challenge(world, await makeJob(world)))).toBe('rolled_back');
  // the stop itself is not above itself
  expect(await codeOf(callRoute(world.client, BROKER_ROUTES.putPolicy, { body: { policy: stop.jws } }))).toBe('policy_rollback');
});

test('a database that was lost altogether is a rollback too', async () => {
  await world.restart(async () => rm(join(stateDirOf(world.dir), 'broker.sqlite')).then(async () => rm(join(stateDirOf(world.dir), 'broker.sqlite-wal'), { force: true })));
  expect(await codeOf(ready())).toBe('rolled_back');
});

test('without the outside file nobody can tell, so nothing is released', async () => {
  await world.restart(async () => rm(headsFileOf(world.dir)));
  expect(await codeOf(ready())).toBe('rolled_back');
});

test('an owner notices a ledger that lost what she saw before', async () => {
  await runAttempt(world, await makeJob(world));
  await save();
  await putRules(world, []);
  expect(await readLedger(world.ownerDeps)).toHaveLength(5);
  await restore();
  expect(await codeOf(readLedger(world.ownerDeps))).toBe('ledger_broken');
  expect(await codeOf(readLedger(world.ownerDeps, { acceptLoss: true }))).toBe('ledger_broken');
  await putRules(world, []);
  expect(await codeOf(readLedger(world.ownerDeps))).toBe('ledger_broken');
  expect((await readLedger(world.ownerDeps, { acceptLoss: true })).at(-1)?.kind).toBe('recovery');
  expect(await readLedger(world.ownerDeps)).toHaveLength(6);
});

test('approvals from the backup are void: one of them may have been taken back since', async () => {
  await putRules(world, [{ code: 'approved' }]);
  const { payload } = await makeJob(world);
  const { digest: code, environment, parameters } = payload.code;
  const approval: Omit<Approval, 'decision'> = { v: 1, code, environment, parameters, inputs: [world.asset], analyst: payload.analyst, notAfter: payload.notAfter, reason: '' };
  const approved = (await signObject(APPROVAL, { ...approval, decision: 'approved' }, world.owner.signer)).jws;
  const put = async (jws: typeof approved): Promise<unknown> => callRoute(world.client, BROKER_ROUTES.putApproval, { body: { approval: jws } });
  await put(approved);
  await save();
  await put((await signObject(APPROVAL, { ...approval, decision: 'refused' }, world.owner.signer)).jws);
  await restore();
  world.clock.advance(60_001);
  await putRules(world, [{ code: 'approved' }]);
  const later = await signObject(MANIFEST, { ...payload, id: createId(world.clock.now()) }, world.analyst);
  expect(await codeOf(challenge(world, later))).toBe('approval_missing');
  await put(approved);
  expect(await codeOf(challenge(world, later))).toBe('approval_missing');
  await put((await signObject(APPROVAL, { ...approval, decision: 'approved', reason: 'read again' }, world.owner.signer)).jws);
  expect(await challenge(world, later)).toHaveLength(43);
});

test('outside heads of another broker are refused at start', async () => {
  const heads = await readFile(headsFileOf(world.dir), 'utf8');
  const { broker } = world.pinned.description;
  await expect(world.restart(async () => writeFile(headsFileOf(world.dir), heads.replace(broker, world.analyst.thumbprint)))).rejects.toMatchObject({ code: 'config_invalid' });
  await world.restart(async () => writeFile(headsFileOf(world.dir), heads));
  expect(await ready()).toMatchObject({ status: 'ok' });
});
