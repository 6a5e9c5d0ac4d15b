import { beforeAll, describe, expect, test } from 'vitest';
import { createTestReport, createTestVerifier, createTestWorld, type TestReport, type TestReportOptions, type TestVerifier, type TestWorld } from '../testing/index.js';
import { digestOf, digestOfJson } from '../bytes/digest.js';
import { toUtf8 } from '../bytes/text.js';
import type { RunPredicate } from '../objects/report.js';
import { compareReports, type OpenedOutputs, type ReportDifference } from './compare-reports.js';
import { readReport, type ReportEvidence } from './evidence.js';

const NOW = new Date('2026-06-01T12:00:00.000Z');
let verifier: TestVerifier;
let world: TestWorld;
let made: TestReport;
let first: ReportEvidence;

beforeAll(async () => {
  verifier = await createTestVerifier();
  world = await createTestWorld({ now: NOW, owners: ['hospital', 'registry'] });
  made = await createTestReport(world, verifier);
  first = await readReport(made.report);
});

const make = async (options: TestReportOptions, of = world): Promise<ReportEvidence> => readReport((await createTestReport(of, verifier, options)).report);
const notSame = (found: readonly ReportDifference[]): ReportDifference[] => found.filter(({ status }) => status !== 'same');
const sections = (found: readonly ReportDifference[]): string[] => [...new Set(notSame(found).map(({ section }) => section))];
const opened = (report: TestReport): OpenedOutputs['a'] => ({ index: report.index, files: new Map([...report.opened].map(([path, bytes]) => [path, digestOf(bytes)])) });

test('a report against itself is the same in every section', () => {
  const found = compareReports(first, first);
  expect(notSame(found)).toEqual([]);
  expect(found.map(({ section }) => section)).toEqual([
    'job', 'analyst', 'code', 'environment', 'image', 'verifier', 'hardware', 'tcb', 'os', 'policies', 'inputs', 'obligations', 'limits', 'sandbox', 'recipients', 'outcome',
    'cells', 'timing', 'session', 'parameters', 'outputs'
  ]);
});

test('two runs of one job differ in their session, and of their outputs nothing can be told unopened', async () => {
  const found = compareReports(first, await make({}));
  expect(sections(found)).toEqual(['session', 'outputs']);
  expect(found.filter(({ section }) => section === 'outputs')).toEqual([{ section: 'outputs', status: 'unknown', what: expect.stringContaining('Open the outputs of both') as string }]);
});

describe('what a statement says otherwise is named with both values', () => {
  const CHANGES: readonly [string, (predicate: RunPredicate) => RunPredicate, string, string][] = [
    ['code', p => ({ ...p, code: { ...p.code, digest: digestOfJson('other') } }), 'code', 'code'],
    ['environment', p => ({ ...p, code: { ...p.code, environment: digestOfJson('lock') } }), 'environment', 'environment'],
    ['image', p => ({ ...p, image: digestOfJson('other') }), 'image', 'image'],
    ['attempt', p => ({ ...p, attempt: 2 }), 'job', 'attempt'],
    ['policy of one input', p => ({ ...p, inputs: p.inputs.map((input, at) => (at === 0 ? { ...input, policy: digestOfJson('lax') } : input)) }), 'policies', 'hospital/table'],
    ['an input left out', p => ({ ...p, inputs: p.inputs.slice(1) }), 'inputs', 'hospital/table'],
    ['obligations', p => ({ ...p, obligations: { ...p.obligations, maxOutputBytes: 7 } }), 'obligations', 'maxOutputBytes'],
    ['limits', p => ({ ...p, limits: { ...p.limits, timeoutSeconds: 7 } }), 'limits', 'timeoutSeconds'],
    ['sandbox', p => ({ ...p, sandbox: { ...p.sandbox, form: 'empty-proc' as const } }), 'sandbox', 'form'],
    ['probes', p => ({ ...p, sandbox: { ...p.sandbox, probes: [] } }), 'sandbox', 'probes'],
    ['recipients', p => ({ ...p, recipients: [] }), 'recipients', 'recipients'],
    ['outcome', p => ({ ...p, outcome: { status: 'failed' as const, code: 'cell_failed' } }), 'outcome', 'outcome'],
    ['cells', p => ({ ...p, cells: { done: 0, total: 1 } }), 'cells', 'done'],
    ['timing', p => ({ ...p, timing: { ...p.timing, ended: '2026-06-01T12:00:06.000Z' } }), 'timing', 'ended']
  ];
  test.each(CHANGES)('%s', async (_, predicate, section, what) => {
    const other = await make({ predicate });
    const found = compareReports(first, other).filter(item => item.section === section);
    expect(found.filter(item => item.status === 'different').map(item => item.what)).toContain(what);
    const back = compareReports(other, first).filter(item => item.section === section);
    expect(back.map(item => (item.status === 'different' ? { ...item, a: item.b, b: item.a } : item))).toEqual(expect.arrayContaining(found));
  });
});

test('hardware, firmware and operating system come from the token', async () => {
  const claims = { hwmodel: 'GCP_INTEL_TDX', tdx: { gcp_attester_tcb_status: 'OutOfDate' }, attester_tcb: ['INTEL'], swversion: ['250800'] };
  const token = await verifier.mint({ audience: 'urn:cloister:report', nonces: [first.reportNonce], image: world.image, instance: 'job-1', issuedAt: NOW, claims });
  const found = notSame(compareReports(first, { ...first, token }));
  expect(found).toEqual([
    { section: 'hardware', status: 'different', what: 'hardware', a: 'SIMULATED', b: 'GCP_INTEL_TDX' },
    { section: 'tcb', status: 'different', what: 'firmware status', a: null, b: claims.tdx },
    { section: 'tcb', status: 'different', what: 'firmware vendor', a: null, b: ['INTEL'] },
    { section: 'os', status: 'different', what: 'operating system version', a: ['260800'], b: ['250800'] }
  ]);
});

test('of confidential GPUs model, driver and mode count, not the numbers of the single device', async () => {
  const gpu = (ueid: string, driver: string) => ({ submods: { nvidia_gpu: { cc_mode: 'ON', gpus: [{ hwmodel: 'GCP_NVIDIA_H100', driver_version: driver, vbios_version: '1', ueid }] } } });
  const at = async (ueid: string, driver: string): Promise<ReportEvidence> => ({
    ...first,
    token: await verifier.mint({ audience: 'a', nonces: ['n'], image: world.image, instance: 'job-1', issuedAt: NOW, claims: gpu(ueid, driver) })
  });
  const [one, same, newer] = await Promise.all([at('1', '1'), at('2', '1'), at('1', '2')]);
  expect(sections(compareReports(one, same))).toEqual([]);
  expect(notSame(compareReports(one, newer)).map(item => (item.status === 'different' ? item.what : ''))).toEqual(['confidential GPU']);
});

test('a token that cannot be read has no hardware, and nothing throws', () => {
  const found = notSame(compareReports(first, { ...first, token: 'a.b.c' }));
  expect(found).toContainEqual({ section: 'hardware', status: 'different', what: 'hardware', a: 'SIMULATED', b: null });
});

test('a new version of an input is named by version and digest', async () => {
  const newer = await createTestWorld({ now: NOW, owners: ['hospital', 'registry'] });
  const found = compareReports(first, await make({}, newer));
  const [input] = found.filter(({ section }) => section === 'inputs');
  expect(input).toMatchObject({ status: 'different', what: 'hospital/table', a: { version: 1, name: 'table' }, b: { version: 1, name: 'table' } });
  expect(sections(found)).toEqual(expect.arrayContaining(['job', 'analyst', 'inputs', 'policies', 'recipients', 'parameters']));
});

test('parameters under another salt are unknown, not different', async () => {
  const other = await make({ predicate: p => ({ ...p, code: { ...p.code, parameters: 'A'.repeat(43) } }) });
  expect(compareReports(first, other).find(({ section }) => section === 'parameters')?.status).toBe('unknown');
});

describe('outputs', () => {
  test('opened on both sides: the same contents are the same, though they were sealed and salted anew', async () => {
    const again = await createTestReport(world, verifier);
    const found = compareReports(first, await readReport(again.report), { a: opened(made), b: opened(again) });
    expect(found.filter(({ section }) => section === 'outputs')).toEqual([{ section: 'outputs', status: 'same' }]);
  });

  test('opened on both sides: what changed, came and went is named by path', async () => {
    const again = await createTestReport(world, verifier, { outputs: { 'notebook.ipynb': toUtf8('{}'), 'outputs/metrics.json': toUtf8('{"auc":2}'), ['__proto__']: toUtf8('x') } });
    const found = compareReports(first, await readReport(again.report), { a: opened(made), b: opened(again) });
    const outputs = found.filter(({ section }) => section === 'outputs');
    expect(outputs.map(item => (item.status === 'different' ? [item.what, item.a === null, item.b === null] : item))).toEqual([['outputs/metrics.json', false, false], ['__proto__', true, false]]);
  });

  test('files that are not those of the report say nothing about it', async () => {
    const again = await createTestReport(world, verifier);
    const evidence = await readReport(again.report);
    const [left, right] = [opened(made), opened(again)];
    const changed = { ...right, files: new Map([...right.files].map(([path]) => [path, digestOf(toUtf8('changed'))])) };
    expect(compareReports(first, evidence, { a: left, b: changed }).at(-1)).toEqual({ section: 'outputs', status: 'unknown', what: 'The opened files are not those of the second report.' });
    expect(compareReports(first, evidence, { a: right, b: right }).at(-1)).toMatchObject({ status: 'unknown', what: expect.stringContaining('first') as string });
  });

  test('unopened: another number of them is a difference that shows', async () => {
    const found = compareReports(first, await make({ outputs: { a: toUtf8('1') } })).filter(({ section }) => section === 'outputs');
    expect(found).toEqual([{ section: 'outputs', status: 'different', what: 'number of outputs', a: 2, b: 1 }, expect.objectContaining({ status: 'unknown' })]);
  });
});
