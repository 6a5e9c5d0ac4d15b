import { beforeAll, describe, expect, test } from 'vitest';
import { createTestReport, createTestVerifier, createTestWorld, type TestReport, type TestReportOptions, type TestVerifier, type TestWorld } from '../testing/index.js';
import { digestOf, digestOfJson } from '../bytes/digest.js';
import { fromUtf8, toUtf8 } from '../bytes/text.js';
import type { Digest } from '../objects/primitives.js';
import { Grant } from '../objects/release.js';
import { SIMULATOR_ISSUER } from '../attestation/issuers.js';
import { createAppraisal } from '../policy/appraisal.js';
import { CODE_OBLIGATIONS } from '../policy/obligations.js';
import { verifyReport, type VerifyReportOptions } from './verify.js';

/** What people and programs read of a check: not only that it passed or failed, but what was demanded and what was found. */
let verifier: TestVerifier;
let world: TestWorld;
let good: TestReport;
let options: VerifyReportOptions;
const NOW = new Date('2026-06-01T12:00:00.000Z');

beforeAll(async () => {
  verifier = await createTestVerifier();
  world = await createTestWorld({ now: NOW, owners: ['hospital', 'registry'], rule: { maxOutputBytes: 1000, expires: '2026-07-01T00:00:00.000Z' } });
  good = await createTestReport(world, verifier);
  options = {
    trust: {
      v: 1,
      owners: world.owners.map(owner => ({ thumbprint: owner.owner.thumbprint, name: owner.name })),
      verifiers: [verifier.pinned],
      images: [{ image: world.image, source: 'built here' }]
    },
    policy: createAppraisal({ verifiers: [SIMULATOR_ISSUER], images: [world.image], projects: 'any', attributes: 'any' }),
    now: NOW
  };
});

async function answers(report: unknown, over: Partial<VerifyReportOptions> = {}): Promise<Record<string, unknown>> {
  const { checks } = await verifyReport(report, { ...options, ...over });
  return Object.fromEntries(checks.map(check => [check.id, Object.fromEntries(Object.entries(check).filter(([name]) => name !== 'id' && name !== 'title'))]));
}

const answersTo = async (lie: TestReportOptions): Promise<Record<string, unknown>> => answers((await createTestReport(world, verifier, lie)).report);
const digests = (files: ReadonlyMap<string, Uint8Array>): Map<string, Digest> => new Map([...files].map(([name, bytes]) => [name, digestOf(bytes)]));
const brokers = (): string[] => world.owners.map(({ broker }) => broker.thumbprint);
const yes = (actual: unknown): unknown => ({ status: 'pass', actual });
const no = (expected: unknown, actual: unknown, hint?: string): unknown => ({ status: 'fail', expected, actual, ...(hint === undefined ? {} : { hint }) });

test('every question has a title of its own', async () => {
  const { checks } = await verifyReport(good.report, options);
  const after = checks.findIndex(({ id }) => id === 'instance');
  expect(Object.fromEntries([...checks.slice(0, 2), ...checks.slice(after + 1)].map(({ id, title }) => [id, title]))).toEqual({
    report_form: 'The report is well formed and its parts are signed by the keys that they name',
    policy: 'You said what you demand',
    job: 'Statement, session and receipts are of one job and attempt',
    session: 'Keys were released to the session that made the statement',
    same_machine: 'The machine that got the keys made the statement',
    owners: 'Every input was described by an owner that you pinned',
    inputs: 'It read exactly the inputs that the analyst signed',
    runner_requirements: 'The program and hardware are ones that the analyst demanded for her code',
    receipts: 'Every key was released by the broker that its owner named, under the policy that the statement names',
    receipts_exact: 'There are exactly the receipts that the statement lists, for this job’s inputs and code only',
    policies: 'Policies that the report carries are the ones that were applied',
    code: 'It ran exactly the code, parameters and environment that the analyst signed',
    statement_image: 'The statement names the program that the hardware measured',
    obligations: 'It kept what the owners bound it to',
    recipients: 'Outputs were sealed to the recipients that the analyst signed, and to nobody else',
    subjects: 'Every output has one digest and one commitment, and the index is among them',
    outcome: 'The outcome fits the cells that ran',
    timing: 'Times follow one another: keys, run, statement',
    witnesses: 'Brokers that released the keys saw this statement, and no other for this attempt',
    own_job: 'It is the report of the job that you submitted',
    sealed_outputs: 'The sealed outputs are the ones of the statement',
    opened_outputs: 'The opened outputs are the ones of the statement'
  });
});

test('a yes says what was found', async () => {
  const { predicate } = good.statement;
  const outputs = { sealed: digests(good.sealed), opened: { index: good.index, files: digests(good.opened) } };
  const runner = { verifier: SIMULATOR_ISSUER, image: world.image, hardware: 'SIMULATED' };
  expect(await answers(good.report, { outputs, expect: { job: world.manifest.digest } })).toMatchObject({
    job: yes({ job: world.manifest.digest, attempt: 1 }),
    session: yes(predicate.session),
    same_machine: yes('job-1'),
    owners: yes(['hospital/table version 1', 'registry/table version 1']),
    inputs: yes(world.manifest.payload.inputs.map(({ name, asset }) => [name, asset])),
    runner_requirements: yes(runner),
    receipts: yes(brokers().map(broker => ({ broker, time: '2026-06-01T12:00:00.000Z' }))),
    receipts_exact: yes(brokers()),
    policies: yes(0),
    code: yes(predicate.code),
    statement_image: yes(world.image),
    obligations: yes({ ...predicate.obligations, reviewers: [] }),
    recipients: yes(predicate.recipients),
    subjects: yes(3),
    outcome: yes({ status: 'succeeded', cells: { done: 1, total: 1 } }),
    timing: yes({ started: '2026-06-01T12:00:01.000Z', ended: '2026-06-01T12:00:05.000Z' }),
    witnesses: yes(brokers().map(broker => ({ broker, time: '2026-06-01T12:00:11.000Z' }))),
    own_job: yes(world.manifest.digest),
    sealed_outputs: yes(3),
    opened_outputs: yes(['notebook.ipynb', 'outputs/metrics.json'])
  });
});

describe('a no says what was demanded and what was there instead', () => {
  const OTHER = digestOfJson('other');

  test('of the job, the session and the machine', async () => {
    expect(await answersTo({ receipt: receipt => ({ ...receipt, attempt: 2 }) })).toMatchObject({ job: no({ job: world.manifest.digest, attempt: 1 }, { job: world.manifest.digest, attempt: 2 }) });
    expect(await answersTo({ receipt: receipt => ({ ...receipt, session: 'A'.repeat(43) }) })).toMatchObject({ session: { status: 'fail', actual: 'A'.repeat(43) } });
    expect(await answersTo({ receipt: receipt => ({ ...receipt, instance: 'job-9' }) })).toMatchObject({ same_machine: no(['job-9'], 'job-1') });
  });

  test('of the code, the image, the recipients and the outcome', async () => {
    const { code, recipients } = good.statement.predicate;
    expect(await answersTo({ predicate: p => ({ ...p, code: { ...p.code, digest: OTHER } }) })).toMatchObject({ code: no(code, { ...code, digest: OTHER }) });
    expect(await answersTo({ predicate: p => ({ ...p, image: OTHER }) })).toMatchObject({ statement_image: no(OTHER, world.image) });
    const stranger = world.owners[0]?.review.recipient;
    if (stranger === undefined) throw new Error('no owner');
    expect(await answersTo({ predicate: p => ({ ...p, recipients: [stranger] }) })).toMatchObject({ recipients: no(recipients, [stranger]) });
    expect(await answersTo({ predicate: p => ({ ...p, cells: { done: 0, total: 1 } }) })).toMatchObject({ outcome: no('all cells done where it succeeded', { status: 'succeeded', cells: { done: 0, total: 1 } }) });
  });

  test('of the inputs and their keys', async () => {
    const signed = world.manifest.payload.inputs.map(({ name, asset }) => [name, asset]);
    const [first] = good.statement.predicate.inputs;
    expect(await answersTo({ predicate: p => ({ ...p, inputs: p.inputs.slice(0, 1) }) })).toMatchObject({ inputs: no(signed, signed.slice(0, 1)) });
    expect(await answers({ ...good.report, descriptors: good.report.descriptors.slice(1) })).toMatchObject({ inputs: no('a descriptor', 'hospital/table', 'the owner calls this asset otherwise') });
    const twice = [...good.report.descriptors, good.report.descriptors[0]];
    expect(await answers({ ...good.report, descriptors: twice })).toMatchObject({ inputs: no(signed.map(([, asset]) => asset), [...signed.map(([, asset]) => asset), first?.asset]) });
    expect(await answersTo({ predicate: p => ({ ...p, inputs: p.inputs.map(input => ({ ...input, policy: OTHER })) }) })).toMatchObject({ receipts: { status: 'fail', expected: OTHER, actual: { policy: first?.policy } } });
    expect(await answersTo({ predicate: p => ({ ...p, inputs: p.inputs.map(input => ({ ...input, asset: OTHER })) }) })).toMatchObject({ receipts: no('a descriptor', first?.broker) });
    const noGrant = { receipt: (receipt: Parameters<NonNullable<TestReportOptions['receipt']>>[0]) => ({ ...receipt, grants: receipt.grants.slice(-1) }) };
    expect(await answersTo(noGrant)).toMatchObject({ receipts: no(`one receipt for ${first?.name ?? ''}`, 0) });
    const noCode = { receipt: (receipt: Parameters<NonNullable<TestReportOptions['receipt']>>[0]) => ({ ...receipt, grants: receipt.grants.slice(0, 1) }) };
    expect(await answersTo(noCode)).toMatchObject({ receipts: no('a receipt for the code', 'none') });
  });

  test('of the receipts that are there', async () => {
    const listed = good.statement.predicate.receipts;
    expect(await answers({ ...good.report, receipts: good.report.receipts.slice(0, 1) })).toMatchObject({ receipts_exact: { status: 'fail', expected: listed } });
    const [only] = good.session.challenges;
    if (only === undefined) throw new Error('no challenge');
    expect(await answersTo({ session: { challenges: [only] } })).toMatchObject({ receipts_exact: no([only.broker], brokers()) });
    const foreign = { receipt: (receipt: Parameters<NonNullable<TestReportOptions['receipt']>>[0]) => ({ ...receipt, grants: [...receipt.grants, Grant.parse({ bundle: OTHER, obligations: CODE_OBLIGATIONS })] }) };
    const wanted = [...world.manifest.payload.inputs.map(({ asset }) => asset), world.manifest.payload.code.bundle];
    expect(await answersTo(foreign)).toMatchObject({ receipts_exact: { status: 'fail', expected: wanted, actual: { bundle: OTHER } } });
  });

  test('of the obligations', async () => {
    const { obligations } = good.statement.predicate;
    const any = { ...obligations, maxOutputBytes: 'any' as const };
    expect(await answersTo({ predicate: p => ({ ...p, obligations: any }) })).toMatchObject({ obligations: no({ ...obligations, reviewers: [] }, { ...any, reviewers: [] }) });
    expect(await answersTo({ predicate: p => ({ ...p, limits: { ...p.limits, maxOutputBytes: 999 } }) })).toMatchObject({ obligations: no(1000, 999) });
    const late = '2026-07-01T00:00:00.001Z';
    expect(await answersTo({ predicate: p => ({ ...p, timing: { ...p.timing, ended: late } }) })).toMatchObject({ obligations: no('2026-07-01T00:00:00.000Z', late) });
    const inTime = '2026-07-01T00:00:00.000Z';
    expect(await answersTo({ predicate: p => ({ ...p, timing: { ...p.timing, ended: inTime } }) })).toMatchObject({ obligations: { status: 'pass' } });
  });

  test('of what the analyst demanded of the runner', async () => {
    const { runner } = world.manifest.payload.code;
    const { verifiers, images, hardware } = runner;
    const elsewhere: TestVerifier = { ...verifier, mint: mint => verifier.mint({ ...mint, paths: { 'submods.container.image_digest': OTHER } }) };
    const { report } = await createTestReport(world, elsewhere);
    expect(await answers(report)).toMatchObject({ runner_requirements: no({ verifiers, images, hardware }, { verifier: SIMULATOR_ISSUER, image: OTHER, hardware: 'SIMULATED' }) });
    const nothing: TestVerifier = { ...verifier, mint: mint => verifier.mint({ ...mint, claims: { hwmodel: undefined }, paths: { 'submods.container.image_digest': undefined } }) };
    expect(await answers((await createTestReport(world, nothing)).report)).toMatchObject({ runner_requirements: { actual: { verifier: SIMULATOR_ISSUER, image: null, hardware: null } } });
    expect(await answers({ ...good.report, tokens: ['x.y.z'] })).toMatchObject({ runner_requirements: { actual: { verifier: null, image: null, hardware: null } } });
  });

  test('of the outputs’ names', async () => {
    expect(await answersTo({ subject: subject => subject.slice(0, -1) })).toMatchObject({ subjects: no(['output/0', 'index'], ['output/0', 'output/1']) });
    expect(await answersTo({ predicate: p => ({ ...p, outputs: p.outputs.slice(1) }) })).toMatchObject({ subjects: no(['output/0', 'output/1', 'index'], ['output/1', 'index']) });
  });

  test('of times', async () => {
    const swapped = { started: '2026-06-01T12:00:05.000Z', ended: '2026-06-01T12:00:01.000Z' };
    const order = 'release, start, end, attestation in this order, before the manifest expires';
    expect(await answersTo({ predicate: p => ({ ...p, timing: swapped }) })).toMatchObject({ timing: no(order, swapped) });
  });

  test('of witnesses', async () => {
    const [first = ''] = good.report.witnesses;
    const [broker = ''] = brokers();
    const challenged = good.session.challenges.map(challenge => challenge.broker);
    expect(await answers({ ...good.report, witnesses: [first, first] })).toMatchObject({ witnesses: no(challenged, [broker, broker], 'one witness for each broker of the session at most') });
    const lie = { witness: (witness: Parameters<NonNullable<TestReportOptions['witness']>>[0]) => ({ ...witness, statement: OTHER }) };
    expect(await answersTo(lie)).toMatchObject({
      witnesses: {
        status: 'fail',
        expected: { job: world.manifest.digest, attempt: 1, ended: '2026-06-01T12:00:05.000Z' },
        actual: { statement: OTHER, attempt: 1 },
        hint: 'the broker witnessed another statement, or this one before the run had ended'
      }
    });
  });

  test('of the reader’s own job', async () => {
    expect(await answers(good.report, { expect: { job: OTHER } })).toMatchObject({ own_job: no(OTHER, world.manifest.digest) });
    expect(await answers(good.report, { expect: { attempt: 2 } })).toMatchObject({ own_job: no(2, 1) });
    expect(await answers(good.report, { expect: { attempt: 1 } })).toMatchObject({ own_job: yes(world.manifest.digest) });
  });

  test('of sealed files', async () => {
    const sealed = digests(good.sealed);
    const at = (name: string): Digest | undefined => sealed.get(name);
    expect(await answers(good.report, { outputs: { sealed: new Map(sealed).set('output/0', OTHER) } })).toMatchObject({ sealed_outputs: no({ 'output/0': at('output/0') }, OTHER) });
    expect(await answers(good.report, { outputs: { sealed: new Map() } })).toMatchObject({ sealed_outputs: no({ 'output/0': at('output/0') }, 'missing') });
    expect(await answers(good.report, { outputs: { sealed: new Map(sealed).set('more', OTHER) } })).toMatchObject({ sealed_outputs: no(3, 4) });
  });

  test('of opened files', async () => {
    const files = digests(good.opened);
    const ask = async (opened: { index: Uint8Array; files: ReadonlyMap<string, Digest> }): Promise<Record<string, unknown>> => answers(good.report, { outputs: { opened } });
    const text = fromUtf8(good.index);
    expect(await ask({ index: toUtf8('x'), files })).toMatchObject({ opened_outputs: no('an index in canonical form', 'something else') });
    expect(await ask({ index: toUtf8('{}'), files })).toMatchObject({ opened_outputs: no('an index in canonical form', 'something else') });
    expect(await ask({ index: toUtf8(text.replace('"attempt":1', '"attempt":2')), files })).toMatchObject({ opened_outputs: no({ job: world.manifest.digest, attempt: 1 }, { job: world.manifest.digest, attempt: 2 }) });
    expect(await ask({ index: toUtf8(text.replace('"size":2', '"size":3')), files })).toMatchObject({ opened_outputs: no('the index of this report', 'another index') });
    expect(await ask({ index: good.index, files: new Map() })).toMatchObject({ opened_outputs: no({ 'notebook.ipynb': 'a file' }, 'missing') });
    expect(await ask({ index: good.index, files: new Map(files).set('notebook.ipynb', OTHER) })).toMatchObject({ opened_outputs: { status: 'fail', expected: { 'notebook.ipynb': good.statement.predicate.outputs[0]?.commitment }, hint: 'the file was changed after the run' } });
    expect(await ask({ index: good.index, files: new Map(files).set('more', OTHER) })).toMatchObject({ opened_outputs: no([...files.keys()], [...files.keys(), 'more'], 'a file is there that the run did not make') });
  });
});

describe('what cannot be asked or answered says why', () => {
  test('because nothing was given', async () => {
    const without = { trust: { ...options.trust, owners: [], images: [] } };
    expect(await answers({ ...good.report, witnesses: [] }, without)).toMatchObject({
      owners: { status: 'unknown', hint: `not pinned: ${world.owners.map(({ owner }) => owner.thumbprint).join(', ')}` },
      image: { status: 'unknown', hint: 'your trust file lists no image reference values' },
      own_job: { status: 'skipped', hint: 'no record of your own job was given' },
      sealed_outputs: { status: 'skipped', hint: 'no sealed files were given' },
      opened_outputs: { status: 'skipped', hint: 'no opened files were given: use --outputs DIR' },
      witnesses: { status: 'skipped', hint: 'no broker witnessed it: a second report for this attempt would show only to somebody who holds both' }
    });
    const { trust, now } = options;
    expect((await verifyReport(good.report, { trust, now })).checks.find(({ id }) => id === 'policy')).toMatchObject({ status: 'unknown', hint: 'no appraisal policy: add one with --policy' });
  });

  test('because there is no report', async () => {
    const found = await answers({ ...good.report, tokens: [] });
    expect(found).toMatchObject({
      report_form: no('a report whose parts are signed as they say', 'invalid_object: the report is not well formed at tokens'),
      policy: { status: 'skipped', hint: 'the report cannot be read' },
      opened_outputs: { status: 'skipped', hint: 'the report cannot be read' }
    });
    expect(Object.keys(found)).toHaveLength(22);
    expect(await answers(7)).toMatchObject({ report_form: { actual: 'invalid_object: the report is not well formed at its top' } });
    expect(await answers({ ...good.report, statement: 'e30=' })).toMatchObject({ report_form: { actual: 'invalid_object: the statement is not well formed at _type' } });
  });
});
