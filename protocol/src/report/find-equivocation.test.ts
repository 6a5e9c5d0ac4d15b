import { beforeAll, describe, expect, test } from 'vitest';
import { createTestReport, createTestVerifier, createTestWorld, type TestReportOptions, type TestVerifier, type TestWorld } from '../testing/index.js';
import { digestOfJson } from '../bytes/digest.js';
import type { Session } from '../objects/release.js';
import type { RunPredicate } from '../objects/report.js';
import { findEquivocation, type NamedReport } from './find-equivocation.js';
import { readReport } from './evidence.js';

const NOW = new Date('2026-06-01T12:00:00.000Z');
let verifier: TestVerifier;
let world: TestWorld;
let other: TestWorld;
let a: NamedReport;

beforeAll(async () => {
  verifier = await createTestVerifier();
  world = await createTestWorld({ now: NOW });
  other = await createTestWorld({ now: NOW });
  a = await make('a', { witnesses: 'none' });
});

async function make(name: string, options: TestReportOptions = {}, of = world): Promise<NamedReport> {
  return { name, evidence: await readReport((await createTestReport(of, verifier, options)).report) };
}
const secondAttempt: TestReportOptions = {
  session: { attempt: 2 }, receipt: receipt => ({ ...receipt, attempt: 2 }), predicate: predicate => ({ ...predicate, attempt: 2 }), witness: witness => ({ ...witness, attempt: 2 })
};
const kinds = (reports: readonly NamedReport[]): string[] => findEquivocation(reports).map(({ kind }) => kind);
/** A session that a second report is made in too. */
const within = ({ evidence }: NamedReport): Session => evidence.session;

test('one report, the same one twice, two attempts and two jobs are no contradiction', async () => {
  expect(kinds([])).toEqual([]);
  expect(kinds([a])).toEqual([]);
  expect(kinds([a, { ...a, name: 'copy' }])).toEqual([]);
  expect(kinds([a, await make('second', secondAttempt), await make('other', {}, other)])).toEqual([]);
});

test('RP7 two reports for one attempt are found, named, and what differs is said', async () => {
  const lie = await make('lie', { witnesses: 'none', predicate: p => ({ ...p, cells: { done: 2, total: 2 } }) });
  const far = await make('elsewhere', {}, other);
  const [found, ...more] = findEquivocation([far, a, lie]);
  expect(more).toEqual([]);
  expect(found).toMatchObject({ kind: 'two_statements', reports: ['a', 'lie'] });
  const [between] = found?.differences ?? [];
  expect(between).toMatchObject({ from: 'a', to: 'lie' });
  expect(between?.found).toContainEqual({ section: 'cells', status: 'different', what: 'done', a: 1, b: 2 });
  expect(between?.found.every(({ status }) => status !== 'same')).toBe(true);
});

test('three statements and a copy are one finding, the first against each other kind', async () => {
  const [b, c] = [await make('b', { witnesses: 'none' }), await make('c', { witnesses: 'none' })];
  const found = findEquivocation([a, { ...a, name: 'copy' }, b, c]);
  expect(found).toHaveLength(1);
  expect(found[0]?.reports).toEqual(['a', 'copy', 'b', 'c']);
  expect(found[0]?.differences.map(({ from, to }) => [from, to])).toEqual([['a', 'b'], ['a', 'c']]);
});

describe('every member of a statement counts', () => {
  const CHANGES: readonly ((predicate: RunPredicate) => RunPredicate)[] = [
    p => ({ ...p, outcome: { status: 'failed', code: 'cell_failed' } }),
    p => ({ ...p, code: { ...p.code, digest: digestOfJson('x') } }),
    p => ({ ...p, code: { ...p.code, parameters: 'A'.repeat(43) } }),
    p => ({ ...p, inputs: [] }),
    p => ({ ...p, image: digestOfJson('x') }),
    p => ({ ...p, receipts: [digestOfJson('x')] }),
    p => ({ ...p, sandbox: { ...p.sandbox, probes: [] } }),
    p => ({ ...p, limits: { ...p.limits, timeoutSeconds: 1 } }),
    p => ({ ...p, recipients: [] }),
    p => ({ ...p, outputs: [] }),
    p => ({ ...p, cells: { done: 0, total: 0 } }),
    p => ({ ...p, timing: { ...p.timing, started: p.timing.ended } }),
    p => ({ ...p, session: 'A'.repeat(43) })
  ];
  test.each(CHANGES.map((predicate, number) => ({ number, predicate })))('change $number', async ({ predicate }) => {
    const [found] = findEquivocation([a, await make('b', { witnesses: 'none', predicate })]);
    expect(found?.kind).toBe('two_statements');
    expect(found?.differences[0]?.found.length).toBeGreaterThan(0);
  });
});

test('one session that stands for two attempts or two jobs', async () => {
  const { session } = a.evidence.statement.predicate;
  const second = await make('second', { ...secondAttempt, witnesses: 'none', predicate: p => ({ ...p, attempt: 2, session }) });
  expect(kinds([a, second])).toEqual(['session_reused', 'machine_contradicts']);
  const job = await make('job', { witnesses: 'none', predicate: p => ({ ...p, session }) }, other);
  expect(findEquivocation([a, job])[0]).toMatchObject({ kind: 'session_reused', reports: ['a', 'job'] });
});

test.each(['recipient', 'key'] as const)('B3 the same %s in two attempts or two jobs', async member => {
  const reused = { [member]: within(a)[member] };
  const second = await make('second', { ...secondAttempt, witnesses: 'none', session: { attempt: 2, ...reused } });
  expect(findEquivocation([a, second])).toMatchObject([{ kind: 'keys_reused', reports: ['a', 'second'] }]);
  expect(kinds([a, await make('job', { witnesses: 'none', session: reused }, other)])).toEqual(['keys_reused']);
});

test('one machine that made two statements in one session', async () => {
  const { session } = a.evidence.statement.predicate;
  const again = await make('again', { witnesses: 'none', predicate: p => ({ ...p, session }) });
  expect(kinds([a, again])).toEqual(['two_statements', 'machine_contradicts']);
});

describe('RP7 witnesses that contradict', () => {
  test('one in a report about another statement shows that there is a second report', async () => {
    const lone = await make('lone', { witness: witness => ({ ...witness, statement: digestOfJson('hidden') }) });
    expect(findEquivocation([lone])).toMatchObject([{ kind: 'witness_contradicts', reports: ['lone'], what: expect.stringContaining(world.owners[0]?.broker.thumbprint ?? 'none') as string }]);
  });

  test('one in a report about the statement of that report, against another report of the attempt', async () => {
    const witnessed = await make('witnessed');
    const found = findEquivocation([a, witnessed]);
    expect(found.map(({ kind, reports }) => [kind, reports])).toEqual([['two_statements', ['a', 'witnessed']], ['witness_contradicts', ['a', 'witnessed']]]);
  });

  test('one about another attempt than its report’s, against the report of that attempt', async () => {
    const strange = await make('strange', { ...secondAttempt, witness: witness => witness });
    expect(kinds([strange])).toEqual([]);
    expect(findEquivocation([a, strange])).toMatchObject([{ kind: 'witness_contradicts', reports: ['a', 'strange'] }]);
  });

  test('a broker that witnessed two statements is found by its two witnesses', async () => {
    const [one, two] = [await make('one'), await make('two')];
    expect(kinds([one, two])).toEqual(['two_statements', 'witness_contradicts']);
  });
});

test('a thousand witnesses that find the same are worked out once: anybody can make them', async () => {
  const witnessed = await make('witnessed');
  let looks = 0;
  const crowd = Array.from({ length: 12 }, (_, at): NamedReport => {
    const witnesses = witnessed.evidence.witnesses.flatMap(witness => Array.from({ length: 80 }, (_none, n) => ({ ...witness, payload: { ...witness.payload, statement: digestOfJson([at, n]) } })));
    const evidence = { ...witnessed.evidence, witnesses, statementDigest: digestOfJson(at) };
    // Comparing two reports reads both tokens.
    Object.defineProperty(evidence, 'token', { get: () => (looks += 1, witnessed.evidence.token) });
    return { name: `r${at}`, evidence };
  });
  expect(new Set(kinds(crowd))).toEqual(new Set(['two_statements', 'machine_contradicts', 'witness_contradicts']));
  expect(looks).toBeLessThan(200);
});

test('a token that cannot be read is no reason to stop', () => {
  expect(kinds([a, { name: 'broken', evidence: { ...a.evidence, token: 'a.b.c' } }])).toEqual([]);
});
