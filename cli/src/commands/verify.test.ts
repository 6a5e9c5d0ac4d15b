import { readFileSync, readdirSync } from 'node:fs';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf, toUtf8, type Trust } from '@cloister/protocol';
import { buildCli, type BuiltCli, type CliRun } from '../testing/build-cli.js';
import { anotherReport, createReportDesk, type ReportDesk } from '../testing/report-desk.js';

let cli: BuiltCli;
let desk: ReportDesk;
let trust: string;
let policy: string;
let report: string;
beforeAll(async () => {
  [cli, desk] = await Promise.all([buildCli(), createReportDesk()]);
  trust = await desk.put('trust.json', desk.trust);
  policy = await desk.put('policy.json', desk.policy);
  report = await desk.put('r.attestation.json', desk.first.report);
}, 60_000);
afterAll(async () => Promise.all([cli.remove(), desk.remove()]));

const run = async (...args: readonly string[]): Promise<CliRun> => cli.run(['--home', join(desk.folder, 'no-home'), ...args], { cwd: desk.folder });
const verify = async (...args: readonly string[]): Promise<CliRun> => run('verify', ...args, '--trust', trust, '--policy', policy);

describe('the exit code is the verdict', () => {
  test('0: all holds, with the outputs; the last line says it again; nothing is written anywhere', async () => {
    const outputs = await desk.unseal('out', desk.first);
    const { code, stdout, stderr } = await verify(report, '--outputs', outputs);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^VERIFIED\n/);
    expect(stdout).toMatch(/passed.*\n {2}VERIFIED\n/);
    expect(stdout).toMatch(/pass {2} +opened_outputs/);
    expect(stdout).toContain('does not prove');
    expect(readdirSync(desk.folder)).not.toContain('no-home');
  });

  test('0: a table that fits 80 columns; only commands and paths may be longer', async () => {
    const { stdout } = await verify(report, '--explain');
    expect(stdout.split('\n').filter(line => line.length > 80)).toEqual([]);
  });

  test('1: other reference values, a receipt taken out, a byte changed', async () => {
    const image = digestOf(toUtf8('another image'));
    const others: Trust = { ...desk.trust, images: [{ image, source: 'other' }] };
    expect((await run('verify', report, '--policy', policy, '--trust', await desk.put('t-other.json', others))).code).toBe(1);
    const forged = await desk.put('forged.json', { ...desk.first.report, receipts: desk.first.report.receipts.slice(1) });
    const result = await verify(forged);
    expect(result.code).toBe(1);
    expect(result.stdout).toMatch(/FAIL +receipts_exact/);
    expect(result.stdout).toMatch(/expected\n? +/);
    const outputs = await desk.unseal('changed', desk.first);
    await writeFile(join(outputs, 'outputs/metrics.json'), '{"auc":2}');
    expect((await verify(report, '--outputs', outputs)).code).toBe(1);
  });

  test('1: of what failed, also where nobody reads on, as behind `| head`', async () => {
    const forged = await desk.put('unread.json', { ...desk.first.report, receipts: desk.first.report.receipts.slice(1) });
    const args = ['--home', join(desk.folder, 'no-home'), 'verify', forged, '--trust', trust, '--policy', policy];
    expect((await cli.run(args, { cwd: desk.folder, unread: true })).code).toBe(1);
    expect((await cli.run([...args, '--json'], { cwd: desk.folder, unread: true })).code).toBe(1);
  });

  test('1: what a simulator says of hardware did not pass, also in a report that failed', async () => {
    const simulators: Trust = { ...desk.trust, verifiers: desk.trust.verifiers.map(verifier => ({ ...verifier, kind: 'simulator' as const })) };
    const { code, stdout } = await run('verify', report, '--policy', policy, '--trust', await desk.put('t-simulator.json', simulators));
    expect(code).toBe(1);
    expect(stdout).toMatch(/simulated +software/);
    expect(stdout).not.toMatch(/pass +(software|debug|image|secure_boot) /);
  });

  test('2: an owner who is not pinned; what is no verdict has a code', async () => {
    const [first] = desk.trust.owners;
    const strangers: Trust = { ...desk.trust, owners: first === undefined ? [] : [first] };
    expect((await run('verify', report, '--policy', policy, '--trust', await desk.put('t-strangers.json', strangers))).code).toBe(2);
    for (const [args, code] of [
      [['nowhere.json', '--trust', trust], 'usage'],
      [[report, '--trust', 'nowhere.json'], 'trust_missing'],
      [[report, '--policy', 'nowhere.json'], 'usage'],
      [[report, '--policy', trust], 'config_invalid'],
      [[report, '--outputs', desk.folder], 'usage'],
      [[report, report.replace('r.att', './r.att'), '--outputs', desk.folder], 'usage']
    ] as const) {
      const result = await run('verify', ...args);
      expect([args, result.code, result.stderr.includes(`(${code})`)]).toEqual([args, 2, true]);
    }
  });

  test('of several the worst counts', async () => {
    const broken = await desk.put('broken.attestation.json', 'not JSON');
    const result = await verify(report, broken);
    expect(result.code).toBe(1);
    expect(result.stdout).toContain('not an attestation report that can be read');
    expect(result.stdout).toMatch(/VERIFIED .*r\.attestation\.json\nNOT VERIFIED.* .*broken\.attestation\.json/);
    await rm(broken);
  });
});

describe('a folder', () => {
  test('stands for the reports that lie in it, not deeper; contradictions among them are found, though each alone holds', async () => {
    await desk.put('many/a.attestation.json', desk.first.report);
    await desk.put('many/b.attestation.json', desk.second.report);
    await desk.put('many/deeper/c.attestation.json', 'not JSON');
    await desk.put('many/notes.json', 'not JSON');
    expect((await verify(join(desk.folder, 'many/a.attestation.json'))).code).toBe(0);
    const { code, stdout } = await verify('many');
    expect(code).toBe(1);
    expect(stdout).toContain('CONTRADICTION');
    expect(stdout).toContain('two different statements');
    expect(stdout).not.toContain('deeper');
    const json: unknown = JSON.parse((await verify('many', '--json')).stdout);
    expect(json).toMatchObject({ reports: [{ path: 'many/a.attestation.json', verdict: 'verified' }, { path: 'many/b.attestation.json', verdict: 'verified' }], exit: 1 });
    expect(json).toMatchObject({ equivocation: [{ kind: 'two_statements', reports: ['many/a.attestation.json', 'many/b.attestation.json'] }, { kind: 'witness_contradicts' }, { kind: 'witness_contradicts' }] });
  });

  test('the same report twice contradicts nothing', async () => {
    await desk.put('twice/a.attestation.json', desk.first.report);
    await desk.put('twice/b.attestation.json', desk.first.report);
    expect((await verify('twice')).code).toBe(0);
  });

  test('a link, a folder or a file that cannot be read is one that could not be checked, and hides none of the others', async () => {
    await desk.put('mixed/b.attestation.json', desk.first.report);
    await symlink('/dev/zero', join(desk.folder, 'mixed/a.attestation.json'));
    await symlink('nowhere', join(desk.folder, 'mixed/c.attestation.json'));
    await mkdir(join(desk.folder, 'mixed/d.attestation.json'));
    const { code, stdout, stderr } = await verify('mixed');
    expect([code, stderr]).toEqual([2, '']);
    expect(stdout).toMatch(/COULD NOT CHECK.*a\.att.*\nVERIFIED .*b\.att.*\nCOULD NOT CHECK.*c\.att.*\nCOULD NOT CHECK.*d\.att/);
    expect(stdout).toContain('not a plain file');
    expect((await verify(report, 'nowhere.json')).stdout).toMatch(/VERIFIED .*r\.att.*\nCOULD NOT CHECK.*nowhere\.json/);
    await desk.put('mixed/e.attestation.json', { ...desk.first.report, receipts: desk.first.report.receipts.slice(1) });
    expect((await verify('mixed')).code).toBe(1);
    const json: unknown = JSON.parse((await verify('mixed', '--json')).stdout);
    expect(json).toMatchObject({ exit: 1, reports: ['inconclusive', 'verified', 'inconclusive', 'inconclusive', 'failed'].map(verdict => ({ verdict })) });
  });

  test('with one link alone is 2 by its entry', async () => {
    await mkdir(join(desk.folder, 'linked'));
    await symlink('../r.attestation.json', join(desk.folder, 'linked/a.attestation.json'));
    const { code, stdout } = await verify('linked');
    expect([code, stdout.startsWith('COULD NOT CHECK')]).toEqual([2, true]);
  });

  test('without a report in it is refused', async () => {
    await mkdir(join(desk.folder, 'empty'), { recursive: true });
    const { code, stderr } = await verify('empty');
    expect([code, stderr.includes('(usage)')]).toEqual([2, true]);
  });
});

describe('--outputs', () => {
  test('the report itself, or a copy of its bytes, is no added file', async () => {
    const outputs = await desk.unseal('with-report', desk.first);
    const inside = await desk.put('with-report/study.attestation.json', desk.first.report);
    expect((await verify(inside, '--outputs', outputs)).code).toBe(0);
    expect((await verify(report, '--outputs', outputs)).code).toBe(0);
    const renamed = await desk.put('with-report/study.txt', await readFile(inside));
    expect((await verify(report, '--outputs', outputs)).code).toBe(1);
    expect((await verify(renamed, '--outputs', outputs)).code).toBe(0);
  });

  test.each([
    ['another report', 'planted.attestation.json', async () => JSON.stringify(desk.second.report)],
    ['a file that is called like one', 'planted.attestation.json', async () => 'hello'],
    ['a copy of the report further down', 'outputs/study.attestation.json', async () => JSON.stringify(desk.first.report)],
    ['any other file', 'outputs/planted.csv', async () => 'a,b']
  ])('%s is an added file, and fails', async (_, name, content) => {
    const outputs = await desk.unseal(`planted-${name.length}-${(await content()).length}`, desk.first);
    await writeFile(join(outputs, name), await content());
    const { code, stdout } = await verify(report, '--outputs', outputs);
    expect(code).toBe(1);
    expect(stdout).toMatch(/FAIL +opened_outputs/);
  });
});

describe('--now', () => {
  test('judges as of that time: a report from the future fails, one of long ago holds', async () => {
    const early = await verify(report, '--now', '2020-01-01T00:00:00Z');
    expect(early.code).toBe(1);
    expect(early.stdout).toMatch(/FAIL +issued/);
    expect((await verify(report, '--now', '2049-01-01T00:00:00+01:00')).code).toBe(0);
  });

  test.each(['yesterday', '2026-02-30T00:00:00Z', '2026-01-01T00:00:00'])('%j is no time: an example, and exit code 2', async time => {
    const { code, stderr } = await verify(report, '--now', time);
    expect(code).toBe(2);
    expect(stderr).toContain('--now 2026-03-01T12:00:00Z');
    expect(stderr).toContain('(usage)');
  });
});

test('where something is missing, it says what to add; the commands that it prints, done as they stand, lead to a verdict', async () => {
  const home = join(desk.folder, 'fresh-home');
  const fresh = async (...args: readonly string[]): Promise<CliRun> => cli.run(['--home', home, ...args], { cwd: desk.folder });
  const before = await fresh('verify', report);
  expect(before.code).toBe(2);
  expect(before.stdout).toContain('COULD NOT CHECK');
  for (const part of ['cloister trust add verifier google', `cloister trust add image ${desk.world.image} --source`, 'cloister trust add owner hospital', 'cloister trust add owner registry', 'cloister trust policy']) expect(before.stdout).toContain(part);
  // The verifier of this test is not Google, so only its key is put there by hand.
  await mkdir(join(home, 'agent'), { recursive: true, mode: 0o700 });
  await writeFile(join(home, 'agent/trust.json'), JSON.stringify({ ...desk.trust, owners: [], images: [] }));
  const { stdout } = await fresh('verify', report);
  const commands = stdout.split('\n').flatMap(line => /^ {4}cloister (.*)$/.exec(line)?.[1] ?? []);
  expect(commands).toHaveLength(4);
  for (const command of commands) {
    const words = [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
    expect(await fresh(...words)).toMatchObject({ code: 0 });
  }
  expect((await fresh('verify', report)).code).toBe(0);
});

test('with --trust named, the commands name it too', async () => {
  const file = await desk.put('own trust.json', { ...desk.trust, owners: [], images: [] });
  const { stdout } = await run('verify', report, '--trust', file);
  expect(stdout).toContain(`--source "how you know it" --trust '${file}'`);
  expect(stdout).toContain(`cloister trust policy policy.json --trust '${file}'`);
});

test('--explain says of every check what it asks and why', async () => {
  const { stdout } = await verify(report, '--explain');
  expect(stdout).toContain('Any program can run in genuine hardware.');
  const plain = (await verify(report)).stdout.split('\n').length;
  expect(stdout.split('\n').length).toBeGreaterThan(plain + 100);
  expect(stdout.match(/^ {6}asks /gm)?.length).toBe(stdout.match(/^ {6}because /gm)?.length);
  expect(stdout.match(/^ {6}asks /gm)?.length).toBeGreaterThan(45);
});

test('hostile words of a report cannot steer the terminal', async () => {
  const name = 'h\u001b[2J\u202e.attestation.json';
  const { report: made } = await anotherReport(desk, { predicate: predicate => ({ ...predicate, cells: { done: 0, total: 1 } }) });
  const { stdout, code } = await verify(await desk.put(name, { ...made, session: `${made.session}\u001b[2J` }));
  expect(code).toBe(1);
  expect(stdout).not.toMatch(/[\u001b\u202e]/);
});

describe('--json', () => {
  const schema: unknown = JSON.parse(readFileSync(new URL('../../../docs/schemas/verify.v1.json', import.meta.url), 'utf8'));
  /** For this test no member may be there that the schema does not describe. */
  const closed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(closed);
    if (typeof value !== 'object' || value === null) return value;
    const members = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, closed(item)]));
    return 'properties' in members ? { ...members, additionalProperties: false } : members;
  };
  const validate = new Ajv2020({ allErrors: true, strict: true, strictTypes: false, strictRequired: false }).compile(closed(schema) as object); // ajv takes what JSON.parse gives

  test('is what docs/schemas/verify.v1.json says, for every verdict', async () => {
    const outputs = await desk.unseal('json-out', desk.first);
    const broken = await desk.put('json/broken.attestation.json', '{}');
    const failed = await desk.put('json/failed.attestation.json', (await anotherReport(desk, { predicate: predicate => ({ ...predicate, outcome: { status: 'failed', code: 'cell_failed' }, cells: { done: 0, total: 1 } }) })).report);
    const RUNS: readonly (readonly [readonly string[], number])[] = [
      [[report, '--outputs', outputs, '--trust', trust, '--policy', policy], 0],
      [[report, broken, failed, '--trust', trust, '--policy', policy], 1],
      [['many', '--trust', trust, '--policy', policy], 1],
      [['linked', '--trust', trust, '--policy', policy], 2],
      [[report, '--now', '2049-01-01T00:00:00Z'], 2]
    ];
    for (const [args, exit] of RUNS) {
      const result = await run('verify', ...args, '--json');
      const json: unknown = JSON.parse(result.stdout);
      expect([args, validate(json), validate.errors]).toEqual([args, true, null]);
      expect(json).toMatchObject({ schema: 'cloister.verify.v1', exit });
      expect(result.code).toBe(exit);
    }
  });

  test('the schema refuses what is not such an output', async () => {
    const good: unknown = JSON.parse((await verify(report, '--json')).stdout);
    expect(validate(good)).toBe(true);
    for (const change of [{ schema: 'cloister.verify.v2' }, { exit: 4 }, { reports: [] }, { now: 'now' }, { more: 1 }]) expect(validate(Object.assign({}, good, change))).toBe(false);
  });

  test('what goes wrong is a problem with a code, on stdout', async () => {
    const result = await verify('nowhere.json', '--json');
    expect(result.code).toBe(2);
    expect(JSON.parse(result.stdout)).toMatchObject({ type: 'urn:cloister:error:usage' });
  });
});
