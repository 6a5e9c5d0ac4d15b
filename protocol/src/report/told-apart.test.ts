import { beforeAll, describe, expect, test } from 'vitest';
import { createTestReport, createTestVerifier, createTestWorld, type TestReport, type TestReportOptions, type TestVerifier, type TestWorld } from '../testing/index.js';
import { digestOfJson } from '../bytes/digest.js';
import { compareReports, type ReportDifference } from './compare-reports.js';
import { readReport, type ReportEvidence } from './evidence.js';
import { findEquivocation, type NamedReport } from './find-equivocation.js';

/** What is said of two reports, to the last member: a difference that is not told is one that nobody asks about. */
let verifier: TestVerifier;
let world: TestWorld;
let good: TestReport;
const NOW = new Date('2026-06-01T12:00:00.000Z');
const OTHER = digestOfJson('other');

beforeAll(async () => {
  verifier = await createTestVerifier();
  world = await createTestWorld({ now: NOW, owners: ['hospital', 'registry'] });
  good = await createTestReport(world, verifier);
});

describe('two reports', () => {
  const different = (found: readonly ReportDifference[], section: string): ReportDifference[] => found.filter(item => item.section === section && item.status === 'different');

  test('inputs are told by their own descriptor, and by less where there is none', async () => {
    const evidence = await readReport(good.report);
    const [hospital, registry] = good.statement.predicate.inputs;
    const bare = { ...evidence, descriptors: evidence.descriptors.slice(1) };
    expect(different(compareReports(evidence, bare), 'inputs')).toEqual([
      { section: 'inputs', status: 'different', what: 'hospital/table', a: expect.objectContaining({ owner: world.owners[0]?.owner.thumbprint, version: 1 }) as unknown, b: { asset: hospital?.asset, broker: hospital?.broker } }
    ]);
    const swapped = { ...evidence, descriptors: evidence.descriptors.toReversed() };
    expect(different(compareReports(evidence, swapped), 'inputs')).toEqual([]);
    expect(registry?.asset).toBe(world.owners[1]?.descriptor.digest);
  });

  test('probes are told by sandbox and name, in whatever order they ran', async () => {
    const probes = (...names: readonly (readonly ['kernel' | 'driver', string])[]): TestReportOptions => ({
      predicate: p => ({ ...p, sandbox: { ...p.sandbox, probes: names.map(([sandbox, probe]) => ({ sandbox, probe, blocked: true })) } })
    });
    const read = async (options: TestReportOptions): Promise<ReportEvidence> => readReport((await createTestReport(world, verifier, options)).report);
    const one = await read(probes(['kernel', 'a'], ['kernel', 'b']));
    expect(different(compareReports(one, await read(probes(['kernel', 'b'], ['kernel', 'a']))), 'sandbox')).toEqual([]);
    expect(different(compareReports(one, await read(probes(['kernel', 'a'], ['driver', 'b']))), 'sandbox')).toMatchObject([{ what: 'probes', a: ['kernel a', 'kernel b'], b: ['driver b', 'kernel a'] }]);
  });

  test('sessions with other receipts differ in them', async () => {
    const evidence = await readReport(good.report);
    const { statement } = evidence;
    const other = { ...evidence, statement: { ...statement, predicate: { ...statement.predicate, receipts: [OTHER] } } };
    expect(different(compareReports(evidence, other), 'session')).toMatchObject([{ what: 'receipts', a: statement.predicate.receipts, b: [OTHER] }]);
  });

  test('another model or firmware of a GPU is told with its parts', async () => {
    const evidence = await readReport(good.report);
    const withGpu = async (gpu: Record<string, string>): Promise<ReportEvidence> => ({
      ...evidence,
      token: await verifier.mint({ audience: 'a', nonces: ['n'], image: world.image, instance: 'job-1', issuedAt: NOW, claims: { submods: { nvidia_gpu: { cc_mode: 'ON', gpus: [gpu] } } } })
    });
    const gpu = { hwmodel: 'GCP_NVIDIA_H100', driver_version: '1', vbios_version: '2' };
    const found = compareReports(await withGpu(gpu), await withGpu({ ...gpu, hwmodel: 'GCP_NVIDIA_H200', vbios_version: '3' }));
    expect(different(found, 'hardware')).toEqual([
      { section: 'hardware', status: 'different', what: 'confidential GPU', a: { mode: 'ON', models: [['GCP_NVIDIA_H100', '1', '2']] }, b: { mode: 'ON', models: [['GCP_NVIDIA_H200', '1', '3']] } }
    ]);
  });
});

describe('witnesses against each other', () => {
  test('only reports that say something about the attempt are named, with what differs, for each broker', async () => {
    const lonely = async (name: string, statement: string): Promise<NamedReport> => {
      const { report } = await createTestReport(world, verifier, { witness: witness => ({ ...witness, attempt: 2, statement: digestOfJson(statement) }) });
      return { name, evidence: await readReport(report) };
    };
    const bystander = { name: 'bystander', evidence: await readReport((await createTestReport(await createTestWorld({ now: NOW }), verifier)).report) };
    const [one, two] = [await lonely('one', 'x'), await lonely('two', 'y')];
    const found = findEquivocation([bystander, one, two]).filter(({ kind }) => kind === 'witness_contradicts');
    expect(found.map(({ reports }) => reports)).toEqual(found.map(() => ['one', 'two']));
    for (const { broker } of world.owners) expect(found.filter(({ what }) => what.includes(broker.thumbprint))).toHaveLength(1);
    expect(found[0]?.differences).toMatchObject([{ from: 'one', to: 'two' }]);
  });

  test('a machine that no token names contradicts nobody', async () => {
    const nameless: TestVerifier = { ...verifier, mint: mint => verifier.mint({ ...mint, paths: { 'submods.gce': undefined } }) };
    const { session } = good.statement.predicate;
    const read = async (name: string): Promise<NamedReport> => ({
      name, evidence: await readReport((await createTestReport(world, nameless, { witnesses: 'none', predicate: p => ({ ...p, session }) })).report)
    });
    expect(findEquivocation([await read('one'), await read('two')]).map(({ kind }) => kind)).toEqual(['two_statements']);
  });
});
