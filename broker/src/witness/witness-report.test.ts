import { BROKER_ROUTES, SIMULATOR_ISSUER, WITNESS, callRoute, createId, digestOf, fromBase64, sessionNonce, signObject, toUtf8, verifyObject, verifyReport, type Report, type Witness } from '@cloister/protocol';
import { createTestSigner } from '@cloister/protocol/testing';
import Database from 'better-sqlite3';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readLedger } from '../owner/index.js';
import { releasedRun, reportOf, type ReleasedRun, type ReportChanges } from '../testing/broker-report.js';
import { createWorld, makeJob, makeRunner, putRules, stateDirOf, type BrokerWorld } from '../testing/broker-world.js';
import { codeOf, refusal } from '../testing/refusals.js';

let world: BrokerWorld;
let run: ReleasedRun;
beforeEach(async () => {
  world = await createWorld();
  run = await releasedRun(world, await makeJob(world));
});
afterEach(async () => world.close());

const ask = async (report: Report): Promise<string> => (await callRoute(world.client, BROKER_ROUTES.createWitness, { body: { report } })).witness;
const statementOf = (report: Report) => digestOf(fromBase64(report.statement));
const read = async (jws: string): Promise<Witness> => (await verifyObject(WITNESS, jws, world.pinned.description.broker)).payload;
const recorded = async (): Promise<string[]> => (await readLedger(world.ownerDeps)).map(entry => entry.kind).filter(kind => kind === 'witness' || kind === 'conflict');

test('countersigns the statement of an attempt that it released to, records it, and the report verifies with it', async () => {
  const report = await reportOf(world, run);
  const witness = await ask(report);
  const { job, attempt } = run.receipt.payload;
  const said = { job, attempt, session: sessionNonce(run.session), statement: statementOf(report) };
  expect(await read(witness)).toEqual({ v: 1, ...said, time: world.clock.now().toISOString() });
  expect((await readLedger(world.ownerDeps)).at(-1)).toMatchObject({ kind: 'witness', ...said });
  const { checks } = await verifyReport({ ...report, witnesses: [witness] }, {
    trust: { v: 1, owners: [], verifiers: [world.verifier.pinned], images: [] },
    now: world.clock.now()
  });
  expect(checks.find(({ id }) => id === 'witnesses')?.status).toBe('pass');
});

test('a report whose token ends at a pinned root is witnessed too, as runners make it', async () => {
  expect(await read(await ask(await reportOf(world, run, { token: { kind: 'pki' } })))).toMatchObject({ attempt: 1 });
});

test('the same statement gets the stored witness, also later, after a restart and under another token', async () => {
  const report = await reportOf(world, run);
  const witness = await ask(report);
  world.clock.advance(3_600_000);
  await world.restart();
  expect(await ask(report)).toBe(witness);
  expect(await ask({ ...report, tokens: ['e30.e30.AAAA'] })).toBe(witness);
  expect(await recorded()).toEqual(['witness']);
});

test('fifty requests at once for one statement get one witness, recorded once', async () => {
  await world.close();
  world = await createWorld({ rule: {}, limits: { reports: { burst: 100, refillMs: 1000 } } });
  run = await releasedRun(world, await makeJob(world));
  const report = await reportOf(world, run);
  const answers = await Promise.all(Array.from({ length: 50 }, async () => ask(report)));
  expect(new Set(answers).size).toBe(1);
  expect(await recorded()).toEqual(['witness']);
});

describe('RP7 another statement for the attempt', () => {
  test('is refused with the witness of the first, and the ledger says so, once', async () => {
    const [first, second] = [await reportOf(world, run), await reportOf(world, run, { content: 'y' })];
    const witness = await ask(first);
    for (const again of [false, true]) {
      if (again) await world.restart();
      const error = await refusal(ask(second));
      expect(error).toMatchObject({ code: 'statement_conflict', status: 409, members: { witness } });
    }
    expect(await recorded()).toEqual(['witness', 'conflict']);
    expect((await readLedger(world.ownerDeps)).at(-1)).toMatchObject({ statement: statementOf(second), witnessed: statementOf(first), attempt: 1 });
    expect(await ask(first)).toBe(witness);
  });

  test('is refused also under a second session of the same keys', async () => {
    await ask(await reportOf(world, run));
    const again = await releasedRun(world, run.manifest, 1, run.runner);
    expect(again.session).not.toBe(run.session);
    expect(await codeOf(ask(await reportOf(world, again)))).toBe('statement_conflict');
  });

  test('of many at once one is witnessed', async () => {
    const reports = await Promise.all(Array.from({ length: 8 }, async (_, content) => reportOf(world, run, { content: String(content) })));
    const settled = await Promise.allSettled(reports.map(ask));
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await recorded()).filter(kind => kind === 'witness')).toHaveLength(1);
  });

  test('another attempt has a witness of its own', async () => {
    await ask(await reportOf(world, run));
    const second = await releasedRun(world, run.manifest, 2);
    expect(await read(await ask(await reportOf(world, second)))).toMatchObject({ attempt: 2 });
  });
});

describe('what it does not witness', () => {
  const LIES: readonly { readonly name: string; readonly changes: () => ReportChanges; readonly check: string }[] = [
    { name: 'of another image than the rule lists', changes: () => ({ token: { image: digestOf(toUtf8('other')) } }), check: 'image' },
    { name: 'with a token for keys', changes: () => ({ token: { audience: 'urn:cloister:release' } }), check: 'audience' },
    { name: 'with the token of another statement', changes: () => ({ token: { nonces: ['A'.repeat(43)] } }), check: 'nonce' },
    { name: 'by another machine', changes: () => ({ token: { instance: 'cloister-2' } }), check: 'same_machine' },
    { name: 'of a debug image', changes: () => ({ token: { claims: { dbgstat: 'enabled' } } }), check: 'debug' },
    { name: 'whose statement names another policy', changes: () => ({ predicate: p => ({ ...p, inputs: p.inputs.map(input => ({ ...input, policy: digestOf(toUtf8('lax')) })) }) }), check: 'receipts' },
    { name: 'whose statement names another attempt', changes: () => ({ predicate: p => ({ ...p, attempt: 2 }) }), check: 'job' }
  ];
  test.each(LIES)('a report $name: $check', async ({ changes, check }) => {
    const error = await refusal(ask(await reportOf(world, run, changes())));
    expect(error.code).toBe('report_rejected');
    expect(error.members['checks']).toContainEqual({ id: check, status: 'fail' });
    expect(await recorded()).toEqual([]);
  });

  test('a report of a session that it released nothing to', async () => {
    const report = await reportOf(world, run);
    const changed = { ...report, session: report.session.replace(/"attempt":1/, '"attempt":2') };
    expect(await codeOf(ask(changed))).toBe('report_rejected');
    expect((await refusal(ask(changed))).detail).toContain('released nothing');
  });

  test('a report with another broker’s receipt in the place of its own', async () => {
    const other = await createWorld();
    const foreign = await releasedRun(other, await makeJob(other));
    const report = await reportOf(world, run);
    expect(await codeOf(ask({ ...report, receipts: [foreign.receipt.jws] }))).toBe('report_rejected');
    await other.close();
  });

  test('a report on the terms of today where those of the release were stricter', async () => {
    const other = digestOf(toUtf8('allowed since'));
    await putRules(world, [{ images: [world.image, other] }]);
    const error = await refusal(ask(await reportOf(world, run, { token: { image: other }, predicate: p => ({ ...p, image: other }) })));
    expect(error.members['checks']).toContainEqual({ id: 'image', status: 'fail' });
  });

  test('a run that ended later than its own clock says', async () => {
    const ended = new Date(world.clock.now().getTime() + 120_000).toISOString();
    const report = await reportOf(world, run, { predicate: p => ({ ...p, timing: { ...p.timing, ended } }), token: { issuedAt: new Date(ended) } });
    expect(await codeOf(ask(report))).toBe('report_rejected');
    world.clock.advance(120_000);
    expect(await read(await ask(report))).toMatchObject({ attempt: 1 });
  });

  test('what is no report', async () => {
    const report = await reportOf(world, run);
    expect(await codeOf(ask({ ...report, session: `${report.session} ` }))).toBe('report_rejected');
    const { jws } = await signObject(WITNESS, await read(await ask(report)), await createTestSigner());
    expect(await codeOf(ask({ ...(await reportOf(world, run, { content: 'y' })), witnesses: [jws] }))).toBe('report_rejected');
  });
});

test('it still witnesses on the terms of the release after the policy was stopped', async () => {
  await putRules(world, []);
  expect(await read(await ask(await reportOf(world, run)))).toMatchObject({ attempt: 1 });
});

test('a broker that kept only the code witnesses on the analyst’s terms', async () => {
  const codeOnly = await makeJob(world, { inputs: [] });
  expect(await read(await ask(await reportOf(world, await releasedRun(world, codeOnly))))).toMatchObject({ job: codeOnly.digest });
  const picky = await makeJob(world, { inputs: [] });
  const released = await releasedRun(world, picky);
  const error = await refusal(ask(await reportOf(world, released, { token: { claims: { hwmodel: 'GCP_AMD_SEV' } } })));
  expect(error.members['checks']).toContainEqual({ id: 'hardware', status: 'fail' });
});

test('the refusal tells ids of checks and not what the owner’s policy expects', async () => {
  await putRules(world, [{ hardware: ['SIMULATED', 'GCP_INTEL_TDX'], verifiers: [SIMULATOR_ISSUER, 'https://secret.example'] }]);
  run = await releasedRun(world, await makeJob(world));
  const error = await refusal(ask(await reportOf(world, run, { token: { claims: { hwmodel: 'GCP_AMD_SEV' } } })));
  expect(error.members['checks']).toContainEqual({ id: 'hardware', status: 'fail' });
  expect(JSON.stringify([error.detail, error.members])).not.toMatch(/GCP_INTEL_TDX|secret\.example/);
});

test('reports of one session are rate-limited, those of another are not touched', async () => {
  await world.close();
  world = await createWorld({ rule: {}, limits: { reports: { burst: 2, refillMs: 10_000 } } });
  const [first, second] = [await releasedRun(world, await makeJob(world)), await releasedRun(world, await makeJob(world))];
  const bad = await reportOf(world, first, { token: { claims: { dbgstat: 'enabled' } } });
  expect([await codeOf(ask(bad)), await codeOf(ask(bad)), await codeOf(ask(bad))]).toEqual(['report_rejected', 'report_rejected', 'rate_limited']);
  await ask(await reportOf(world, second));
  world.clock.advance(10_000);
  await ask(await reportOf(world, first));
});

test('a broker that was restored from a backup witnesses no run from before: it may have forgotten another statement', async () => {
  const backup = join(world.dir, 'backup');
  await world.restart(async () => cp(stateDirOf(world.dir), backup, { recursive: true }));
  await ask(await reportOf(world, run));
  await world.restart(async () => {
    await rm(stateDirOf(world.dir), { recursive: true });
    await cp(backup, stateDirOf(world.dir), { recursive: true });
  });
  expect(await codeOf(ask(await reportOf(world, run, { content: 'y' })))).toBe('rolled_back');
  world.clock.advance(60_001);
  await putRules(world, [{}]);
  world.clock.advance(1);
  const later = await releasedRun(world, await makeJob(world, { manifest: { id: createId(world.clock.now()) } }), 1, await makeRunner());
  expect(await read(await ask(await reportOf(world, later)))).toMatchObject({ attempt: 1 });
});

test('a witness is kept by one row an attempt, whatever else goes wrong', async () => {
  await ask(await reportOf(world, run));
  await world.restart(async () => {
    const database = new Database(join(stateDirOf(world.dir), 'broker.sqlite'));
    const { job } = run.receipt.payload;
    expect(() => database.prepare('insert into witnesses values (?, ?, 1, ?)').run('sha256:other', job, 'jws')).toThrow(/UNIQUE/);
    database.close();
    return Promise.resolve();
  });
});
