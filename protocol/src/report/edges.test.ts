import { beforeAll, describe, expect, test } from 'vitest';
import { createTestReport, createTestVerifier, createTestWorld, type TestReport, type TestReportOptions, type TestVerifier, type TestWorld, type TestWorldOptions } from '../testing/index.js';
import { digestOf, digestOfJson } from '../bytes/digest.js';
import { jcsBytes, parseJcs } from '../bytes/jcs.js';
import { toUtf8 } from '../bytes/text.js';
import { toTime } from '../objects/ids.js';
import { MANIFEST } from '../objects/manifest.js';
import { Grant, RECEIPT } from '../objects/release.js';
import { POLICY } from '../objects/policy.js';
import { OutputIndex } from '../objects/report.js';
import { GOOGLE_ISSUER, SIMULATOR_ISSUER } from '../attestation/issuers.js';
import { createAppraisal } from '../policy/appraisal.js';
import { CODE_OBLIGATIONS } from '../policy/obligations.js';
import { peekPayload, signObject } from '../signed/signed-object.js';
import { readReport } from './evidence.js';
import { verifyReport, type ReportResult, type VerifyReportOptions } from './verify.js';

/** Reports on both sides of every line that a check draws. */
let verifier: TestVerifier;
let google: TestVerifier;
let world: TestWorld;
let good: TestReport;
const NOW = new Date('2026-06-01T12:00:00.000Z');
const after = (milliseconds: number): string => toTime(new Date(NOW.getTime() + milliseconds));
const OTHER = digestOfJson('other');

beforeAll(async () => {
  [verifier, google] = await Promise.all([createTestVerifier(), createTestVerifier({ kind: 'google' })]);
  world = await createTestWorld({ now: NOW, owners: ['hospital', 'registry'] });
  good = await createTestReport(world, verifier);
});

async function verify(report: unknown, of = world, over: Partial<VerifyReportOptions> = {}): Promise<ReportResult> {
  const owners = of.owners.map(owner => ({ thumbprint: owner.owner.thumbprint, name: owner.name }));
  const verifiers = [verifier.pinned, google.pinned];
  return verifyReport(report, {
    trust: { v: 1, owners, verifiers, images: [{ image: of.image, source: 'built here' }] },
    policy: createAppraisal({ verifiers: [SIMULATOR_ISSUER, GOOGLE_ISSUER], images: [of.image], projects: 'any' }),
    now: NOW,
    ...over
  });
}
const failedIn = ({ checks }: ReportResult): string[] => checks.filter(({ status }) => status === 'fail').map(({ id }) => id);
const failed = async (options: TestReportOptions, of = world, by = verifier): Promise<string[]> => failedIn(await verify((await createTestReport(of, by, options)).report, of));
const worldOf = async (options: Omit<TestWorldOptions, 'now' | 'owners'>): Promise<TestWorld> => createTestWorld({ now: NOW, owners: ['hospital', 'registry'], ...options });
const runnerOf = (of: TestWorld, change: Partial<TestWorld['manifest']['payload']['code']['runner']>): TestWorld['manifest']['payload'] => {
  const { payload } = of.manifest;
  return { ...payload, code: { ...payload.code, runner: { ...payload.code.runner, ...change } } };
};
/** The same world under another manifest by the same analyst. */
const under = async (payload: TestWorld['manifest']['payload'], of = world): Promise<TestWorld> => ({ ...of, manifest: await signObject(MANIFEST, payload, of.analyst) });

test('a true report on real hardware is verified, and simulated only by a simulator', async () => {
  const real = await worldOf({ rule: { verifiers: [GOOGLE_ISSUER], hardware: ['GCP_INTEL_TDX'] } });
  const demanding = await under(runnerOf(real, { verifiers: [GOOGLE_ISSUER], hardware: ['GCP_INTEL_TDX'] }), real);
  const result = await verify((await createTestReport(demanding, google)).report, demanding);
  expect(failedIn(result)).toEqual([]);
  expect(result.verdict).toBe('verified');
});

describe('what the analyst demanded of the runner', () => {
  const demand = async (change: Parameters<typeof runnerOf>[1]): Promise<string[]> => failed({}, await under(runnerOf(world, change)));

  test('any one of several verifiers, images and kinds of hardware suffices', async () => {
    expect(await demand({ verifiers: [GOOGLE_ISSUER, SIMULATOR_ISSUER], images: [OTHER, world.image], hardware: ['GCP_AMD_SEV', 'SIMULATED'] })).toEqual([]);
    expect(await demand({ hardware: 'any' })).toEqual([]);
  });

  test('none of them is none', async () => {
    expect(await demand({ verifiers: [GOOGLE_ISSUER] })).toEqual(['runner_requirements']);
    expect(await demand({ images: [OTHER] })).toEqual(['runner_requirements']);
    expect(await demand({ hardware: ['GCP_AMD_SEV'] })).toEqual(['runner_requirements']);
  });

  test('a token that says nothing of image and hardware meets no demand', async () => {
    const silent: TestVerifier = { ...verifier, mint: mint => verifier.mint({ ...mint, claims: { hwmodel: undefined }, paths: { 'submods.container': undefined } }) };
    expect(await failed({}, world, silent)).toContain('runner_requirements');
    expect(await failed({}, await under(runnerOf(world, { hardware: 'any' })), silent)).toContain('runner_requirements');
  });
});

describe('job, machine, outcome and times', () => {
  const attempt = (number: number): TestReportOptions => ({
    session: { attempt: number }, receipt: receipt => ({ ...receipt, attempt: number }), predicate: p => ({ ...p, attempt: number }), witness: witness => ({ ...witness, attempt: number })
  });

  test('as many attempts as the manifest allows, and no more', async () => {
    expect(world.manifest.payload.maxAttempts).toBe(2);
    expect(await failed(attempt(2))).toEqual([]);
    const { checks } = await verify((await createTestReport(world, verifier, attempt(3))).report);
    expect(checks.filter(({ status }) => status === 'fail')).toMatchObject([{ id: 'job', expected: 2, actual: 3 }]);
  });

  test('one machine for all keys', async () => {
    let number = 0;
    expect(await failed({ receipt: receipt => ({ ...receipt, instance: `job-${(number += 1)}` }) })).toEqual(['same_machine']);
  });

  test.each<['succeeded' | 'failed', number, number, string[]]>([
    ['succeeded', 2, 2, []],
    ['succeeded', 1, 2, ['outcome']],
    ['succeeded', 3, 2, ['outcome']],
    ['failed', 1, 2, []],
    ['failed', 2, 2, []],
    ['failed', 3, 2, ['outcome']]
  ])('%s after %d of %d cells', async (status, done, total, checks) => {
    const outcome = status === 'succeeded' ? { status } : { status, code: 'cell_failed' };
    expect(await failed({ predicate: p => ({ ...p, outcome, cells: { done, total } }) })).toEqual(checks);
  });

  const LAST = 10_000 + 60_000;
  test.each<[string, TestReportOptions, string[]]>([
    ['a run that seems to start a minute before its keys', { receipt: receipt => ({ ...receipt, time: after(61_000) }) }, []],
    ['and more', { receipt: receipt => ({ ...receipt, time: after(61_001) }) }, ['timing']],
    ['a run of no time', { predicate: p => ({ ...p, timing: { started: after(1000), ended: after(1000) } }) }, []],
    ['an end a minute after the attestation', { predicate: p => ({ ...p, timing: { started: after(1000), ended: after(LAST) } }), witnesses: 'none' }, []],
    ['and more', { predicate: p => ({ ...p, timing: { started: after(1000), ended: after(LAST + 1) } }), witnesses: 'none' }, ['timing']]
  ])('%s', async (_, options, checks) => {
    expect(await failed(options)).toEqual(checks);
  });

  test('keys until a minute after the manifest’s end, by every broker', async () => {
    const ended = await under({ ...world.manifest.payload, notAfter: after(-60_000) });
    expect(await failed({}, ended)).toEqual([]);
    const earlier = await under({ ...world.manifest.payload, notAfter: after(-60_001) });
    expect(await failed({}, earlier)).toEqual(['timing']);
    let first = true;
    const early = (receipt: Parameters<NonNullable<TestReportOptions['receipt']>>[0]): typeof receipt => {
      const changed = first ? { ...receipt, time: after(-1000) } : receipt;
      first = false;
      return changed;
    };
    expect(await failed({ receipt: early }, earlier)).toEqual(['timing']);
  });

  test('a token without a time of issue follows nothing', async () => {
    const timeless: TestVerifier = { ...verifier, mint: mint => verifier.mint({ ...mint, claims: { iat: undefined } }) };
    expect(await failed({}, world, timeless)).toContain('timing');
  });
});

describe('keys and policies', () => {
  test('a broker’s grant counts for its own asset alone', async () => {
    const [hospital, registry] = world.owners;
    const [first = '', second = ''] = good.report.receipts;
    if (hospital === undefined || registry === undefined) throw new Error('no owner');
    const all = [...peekPayload(RECEIPT, first).payload.grants, ...peekPayload(RECEIPT, second).payload.grants];
    const bundle = Grant.parse({ bundle: world.manifest.payload.code.bundle, obligations: CODE_OBLIGATIONS });
    const swapped = await createTestReport(world, verifier, { receipt: receipt => ({ ...receipt, grants: receipt.grants.length === 2 ? all : [bundle] }) });
    const { checks } = await verify(swapped.report);
    expect(checks.find(({ id }) => id === 'receipts')).toMatchObject({ status: 'fail', expected: 'one receipt for registry/table', actual: 0 });
  });

  test('two grants for one asset are one too many', async () => {
    expect(await failed({ receipt: receipt => ({ ...receipt, grants: [...receipt.grants, ...receipt.grants.slice(0, 1)] }) })).toContain('receipts');
  });

  test('a grant under another policy than the statement’s is none', async () => {
    const grant = { receipt: (receipt: Parameters<NonNullable<TestReportOptions['receipt']>>[0]) => ({ ...receipt, grants: receipt.grants.map(item => ('policy' in item ? { ...item, policy: OTHER } : item)) }) };
    expect(await failed(grant)).toContain('receipts');
  });

  test('two receipts by one broker are not two brokers', async () => {
    const [hospital] = world.owners;
    const [first = '', second = ''] = good.report.receipts;
    if (hospital === undefined) throw new Error('no owner');
    const again = await signObject(RECEIPT, { ...peekPayload(RECEIPT, first).payload, time: after(1) }, hospital.broker);
    const { checks } = await verify({ ...good.report, receipts: [first, second, again.jws] });
    expect(checks.find(({ id }) => id === 'receipts_exact')?.status).toBe('fail');
    const listed = await createTestReport(world, verifier, { predicate: p => ({ ...p, receipts: [first, second, again.jws].map(jws => peekPayload(RECEIPT, jws).digest).sort() }) });
    const twice = await verify({ ...listed.report, receipts: [first, second, again.jws] });
    expect(twice.checks.find(({ id }) => id === 'receipts_exact')?.status).toBe('fail');
  });

  test('policies that the report carries: each the applied one, of its own asset, once', async () => {
    const policies = world.owners.map(({ policy }) => policy.jws);
    expect(failedIn(await verify({ ...good.report, policies }))).toEqual([]);
    const [first] = policies;
    expect((await verify({ ...good.report, policies: [first, first] })).checks.find(({ id }) => id === 'policies')).toMatchObject({ status: 'fail', expected: 'each once', actual: 2 });
    const [hospital] = world.owners;
    if (hospital === undefined) throw new Error('no owner');
    const renamed = await signObject(POLICY, { ...hospital.policy.payload, asset: { ...hospital.policy.payload.asset, name: 'elsewhere' } }, hospital.owner);
    const applied = world.owners.map(({ policy }) => policy.digest);
    expect((await verify({ ...good.report, policies: [renamed.jws] })).checks.find(({ id }) => id === 'policies')).toMatchObject({ status: 'fail', expected: applied, actual: renamed.digest });
    const applying = { predicate: (p: Parameters<NonNullable<TestReportOptions['predicate']>>[0]) => ({ ...p, inputs: p.inputs.map((input, at) => (at === 0 ? { ...input, policy: renamed.digest } : input)) }) };
    const { report } = await createTestReport(world, verifier, applying);
    expect(failedIn(await verify({ ...report, policies: [renamed.jws] }))).toContain('policies');
  });
});

describe('opened outputs', () => {
  const ask = async (made: TestReport, index: Uint8Array): Promise<unknown> => {
    const files = new Map([...made.opened].map(([path, bytes]) => [path, digestOf(bytes)]));
    return (await verify(made.report, world, { outputs: { opened: { index, files } } })).checks.find(({ id }) => id === 'opened_outputs');
  };

  test('an index of another job or attempt is told before anything else', async () => {
    const index = OutputIndex.parse(parseJcs(good.index));
    expect(await ask(good, jcsBytes({ ...index, job: OTHER }))).toMatchObject({ status: 'fail', expected: { job: world.manifest.digest, attempt: 1 }, actual: { job: OTHER, attempt: 1 } });
  });

  test('a commitment that no file of the index has, and a file that has none', async () => {
    const more = await createTestReport(world, verifier, { predicate: p => ({ ...p, outputs: [...p.outputs, { name: 'output/9', commitment: p.session }] }) });
    expect(await ask(more, more.index)).toMatchObject({ status: 'fail', expected: 3, actual: 2 });
    const fewer = await createTestReport(world, verifier, { predicate: p => ({ ...p, outputs: p.outputs.slice(1) }) });
    expect(await ask(fewer, fewer.index)).toMatchObject({ status: 'fail', expected: { 'notebook.ipynb': 'no such output' } });
  });
});

describe('how a report is read', () => {
  test('by another verification of RSA signatures, where the caller has one', async () => {
    expect(failedIn(await verify(good.report, world, { verifyRsa: () => false }))).toEqual(['signature']);
    expect(failedIn(await verify(good.report, world, { verifyRsa: () => true }))).toEqual([]);
  });

  test('a check that was skipped is no yes, unless it is about files and records of the reader', async () => {
    const { verdict, checks } = await verify(good.report, world, { trust: { v: 1, owners: [], verifiers: [], images: [] } });
    expect(verdict).toBe('inconclusive');
    expect(checks.filter(({ status }) => status === 'skipped').length).toBeGreaterThan(5);
  });

  test('without a policy a token that cannot be read is no reason to throw', async () => {
    const trust = { v: 1 as const, owners: [], verifiers: [verifier.pinned], images: [] };
    const { verdict, checks } = await verifyReport({ ...good.report, tokens: ['x.y.z'] }, { trust, now: NOW });
    expect(verdict).toBe('failed');
    expect(checks.find(({ id }) => id === 'encoding')?.status).toBe('fail');
  });

  test('where it is not well formed it says at which place, and keeps the reason', async () => {
    await expect(readReport({ ...good.report, session: 7, more: 1 })).rejects.toMatchObject({ detail: 'the report is not well formed at session', cause: expect.anything() as unknown });
    const statement = { ...good.statement, predicate: { ...good.statement.predicate, cells: { done: -1, total: 1 } } };
    const text = Buffer.from(jcsBytes(statement)).toString('base64');
    await expect(readReport({ ...good.report, statement: text })).rejects.toMatchObject({ detail: 'the statement is not well formed at predicate.cells.done', cause: expect.anything() as unknown });
  });
});

test('an index that is no JSON is no index', async () => {
  const opened = { index: toUtf8('{'), files: new Map() };
  expect((await verify(good.report, world, { outputs: { opened } })).checks.find(({ id }) => id === 'opened_outputs')).toMatchObject({ status: 'fail', expected: 'an index in canonical form' });
});
