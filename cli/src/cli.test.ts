import { chmod, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseJson, toUtf8, type Json } from '@cloister/protocol';
import { createWorkbench, notebookOf, READS_BOTH, type Workbench } from '@cloister/agent/testing';
import { buildCli, type BuiltCli, type CliRun } from './testing/build-cli.js';

let cli: BuiltCli;
let bench: Workbench;
beforeAll(async () => (cli = await buildCli()), 60_000);
afterAll(async () => cli.remove());
beforeEach(async () => (bench = await createWorkbench()));
afterEach(async () => bench.close());

const run = async (...args: string[]): Promise<CliRun> => cli.run(['--home', bench.home, ...args], { cwd: bench.workspace });
const json = (result: CliRun): Json => parseJson(result.stdout);
const member = (value: Json | undefined, ...path: string[]): Json | undefined =>
  path.reduce<Json | undefined>((at, name) => (typeof at === 'object' && at !== null && !Array.isArray(at) ? at[name] : undefined), value);
const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '');

async function submitted(): Promise<string> {
  await bench.put('study.ipynb', READS_BOTH);
  return textOf(member(json(await run('submit', 'study.ipynb', '--json')), 'job'));
}

async function finished(outputs?: Record<string, Uint8Array>): Promise<{ job: string; folder: string; report: string }> {
  const job = await submitted();
  const [only] = bench.operator.jobs.keys();
  if (only === undefined) throw new Error('nothing was submitted');
  await bench.finish(only, outputs === undefined ? {} : { outputs });
  const opened = json(await run('outputs', 'latest', '--json'));
  return { job, folder: textOf(member(opened, 'folder')), report: textOf(member(opened, 'report')) };
}

describe('bad input gets a sentence, a hint, a code, and nothing is sent', () => {
  const good = notebookOf('import cloister\ncloister.read_csv("hospital/table")');
  const BAD: readonly (readonly [string, string, readonly string[], () => Promise<unknown>])[] = [
    ['no notebook', 'notebook_missing', ['submit', 'nowhere.ipynb'], async () => undefined],
    ['not JSON', 'notebook_not_json', ['submit', 'n.ipynb'], async () => bench.put('n.ipynb', 'x = 1')],
    ['nbformat 3', 'notebook_unsupported', ['submit', 'n.ipynb'], async () => bench.put('n.ipynb', '{"nbformat":3,"worksheets":[]}')],
    ['an unknown asset', 'asset_unknown', ['submit', 'n.ipynb'], async () => bench.put('n.ipynb', notebookOf('import cloister\ncloister.read_csv("hospital/tables")'))],
    ['a computed asset name', 'asset_not_literal', ['submit', 'n.ipynb'], async () => bench.put('n.ipynb', notebookOf('import cloister\ncloister.read_csv(name)'))],
    ['no custodian', 'no_custodian', ['submit', 'n.ipynb'], async () => bench.put('n.ipynb', notebookOf('x = 1'))],
    ['a link', 'workspace_unsafe', ['submit', 'n.ipynb'], async () => Promise.all([bench.put('n.ipynb', good), symlink('/etc/passwd', join(bench.workspace, 'p'))])],
    ['files that differ in case', 'workspace_case_clash', ['submit', 'n.ipynb'], async () => Promise.all([bench.put('n.ipynb', good), bench.put('A.csv', ''), bench.put('a.csv', '')])],
    ['what looks like a secret', 'secret_likely', ['submit', 'n.ipynb'], async () => bench.put('n.ipynb', notebookOf('import cloister\ncloister.read_csv("hospital/table")\npassword = "hunter2hunter2"'))],
    ['a policy that denies', 'asset_denied', ['submit', 'n.ipynb'], async () => {
      bench.operator.brokers.set('hospital', manifest => ({ decision: 'deny', assets: [{ asset: manifest.payload.inputs[0]?.asset, decision: 'deny', denials: [{ code: 'analyst' }] }] }));
      await bench.put('n.ipynb', good);
    }],
    ['keys that others can read', 'key_unsafe', ['jobs'], async () => chmod(join(bench.home, 'agent/keys.json'), 0o644)],
    ['a job that is none', 'not_found', ['show', 'abcdef01'], async () => undefined],
    ['no trust file', 'trust_missing', ['assets'], async () => rm(join(bench.home, 'agent/trust.json'))],
    ['a trust file with a typo', 'config_invalid', ['assets'], async () => writeFile(join(bench.home, 'agent/trust.json'), '{"v":1,"owner":[],"verifiers":[],"images":[]}')],
    ['no owner key', 'key_missing', ['policy', 'stop', 'table'], async () => undefined],
    ['no daemon', 'daemon_unreachable', ['jobs'], async () => writeFile(join(bench.home, 'agent/settings.json'), JSON.stringify({ server: 'http://server.cloister.localhost', gateway: join(bench.home, 'agent/nobody.sock') }))],
    ...[['jobs'], ['status'], ['start']].map((args): readonly [string, string, readonly string[], () => Promise<unknown>] => ['a daemon’s place that others can enter', 'key_unsafe', args, async () => {
      await mkdir(join(bench.home, 'squatted'));
      await chmod(join(bench.home, 'squatted'), 0o777);
      await writeFile(join(bench.home, 'agent/settings.json'), JSON.stringify({ server: 'http://server.cloister.localhost', gateway: join(bench.home, 'squatted/gateway.sock') }));
    }])
  ];
  test.each(BAD)('%s: %s', async (_, code, args, make) => {
    await make();
    const result = await run(...args);
    expect(result.stderr).toContain(`(${code})`);
    expect(result.code).toBe(1);
    expect(result.stderr.trim().split('\n')).toHaveLength(2);
    expect(result.stderr).not.toMatch(/\n\s+at |node:internal|hunter2/);
    expect(bench.operator.calls.filter(call => !call.startsWith('checkManifest'))).toEqual([]);
  });

  test.each([
    [['frobnicate']],
    [['submit']],
    [['submit', 'a.ipynb', '--timeout', 'soon']],
    [['submit', 'a.ipynb', '--wiat']],
    [['verify']],
    [['asset', 'seal', 'x.csv']],
    [['delete', 'latest', '--nonsense']]
  ])('%j is not understood: exit code 2 and a way on', async args => {
    const result = await run(...args);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('--help');
    expect(result.stderr).not.toMatch(/\n\s+at /);
  });

  test('with --json the problem is on stdout, by its code', async () => {
    const result = await run('submit', 'nowhere.ipynb', '--json');
    expect(member(json(result), 'type')).toBe('urn:cloister:error:notebook_missing');
    expect(result.code).toBe(1);
  });

  test('--help and --version are no failures', async () => {
    expect((await run('--help')).code).toBe(0);
    expect(await run('--version')).toMatchObject({ code: 0, stdout: '0.1.0\n' });
    expect((await run('submit', '--help')).stdout).toContain('--wait');
  });
});

describe('an analyst’s way', () => {
  test('submit shows what is sent, who was asked and what they said; without colours where nobody watches', async () => {
    await bench.put('study.ipynb', READS_BOTH);
    await bench.put('helper.py', 'x = 1');
    const { stdout, code } = await run('submit', 'study.ipynb', '--purpose', 'a study');
    expect(code).toBe(0);
    for (const part of ['study.ipynb', 'the notebook that runs', 'helper.py', 'hospital/table', 'registry/table', 'sealed to you', 'sha256:']) expect(stdout).toContain(part);
    expect(stdout).not.toContain('\u001b');
    expect(bench.operator.jobs.size).toBe(1);
  });

  test('submit --wait follows to the end and says by its exit code how it ended', async () => {
    await bench.put('study.ipynb', READS_BOTH);
    const waiting = run('submit', 'study.ipynb', '--wait', '--json');
    // Only once the first state has been read after connecting are all later ones in the timeline.
    await expect.poll(() => bench.operator.calls.slice(-2), { timeout: 20_000 }).toEqual(['jobEvents -', 'getJob']);
    const [job] = bench.operator.jobs.keys();
    if (job === undefined) throw new Error('nothing was submitted');
    bench.operator.advance(job, 'launching', { attempt: 1 });
    bench.operator.advance(job, 'running', { cells: { done: 1, total: 2 } });
    bench.operator.advance(job, 'failed', { code: 'release_denied' });
    const result = await waiting;
    expect(result.code).toBe(1);
    expect(json(result)).toMatchObject({ state: 'failed', code: 'release_denied', decisions: [{ decision: 'allow' }, { decision: 'allow' }] });
    const timeline = member(json(result), 'timeline');
    expect(Array.isArray(timeline) ? timeline.map(seen => member(seen, 'state')).slice(-3) : []).toEqual(['launching', 'running', 'failed']);
  });

  test('the same idempotency key gives the same job; another notebook under it is refused', async () => {
    await bench.put('study.ipynb', READS_BOTH);
    const first = json(await run('submit', 'study.ipynb', '--json', '--idempotency-key', 'k1'));
    const second = json(await run('submit', 'study.ipynb', '--json', '--idempotency-key', 'k1'));
    expect(member(second, 'job')).toBe(member(first, 'job'));
    await bench.put('study.ipynb', notebookOf('import cloister\ncloister.read_csv("hospital/table")'));
    const third = await run('submit', 'study.ipynb', '--idempotency-key', 'k1');
    expect(third.stderr).toContain('(idempotency_conflict)');
    expect(bench.operator.jobs.size).toBe(1);
  });

  test('jobs, show, cancel, retry and delete', async () => {
    const job = await submitted();
    const short = job.slice(7, 15);
    expect((await run('jobs')).stdout).toMatch(new RegExp(`${short}\\s+queued\\s+study.ipynb`));
    expect((await run('show', short)).stdout).toContain('hospital/table, registry/table');
    expect((await run('delete', 'latest')).stderr).toContain('nothing was deleted');
    expect((await run('delete', 'latest', '--yes')).stderr).toContain('(job_not_finished)');
    expect((await run('cancel', short)).stdout).toContain('cancelled');
    expect((await run('cancel', short)).stderr).toContain('(job_finished)');
    const retried = json(await run('retry', short, '--json'));
    expect(member(retried, 'retryOf')).toBe(job);
    expect((await run('delete', short, '--yes')).code).toBe(0);
    expect(bench.operator.jobs.size).toBe(1);
  });

  test('outputs of a failed notebook show its traceback, which cannot repaint the terminal', async () => {
    const job = await submitted();
    const [only] = bench.operator.jobs.keys();
    if (only === undefined) throw new Error('nothing was submitted');
    await bench.finish(only, {
      outputs: { 'traceback.txt': toUtf8('\u001b[31mValueError\u001b[0m: no\u001b]0;owned\u0007 \u202egood') },
      predicate: predicate => ({ ...predicate, outcome: { status: 'failed', code: 'cell_failed' } })
    });
    const { stdout, code } = await run('outputs', job.slice(7, 15));
    expect(code).toBe(0);
    expect(stdout).toContain('cell_failed');
    expect(stdout).toContain('traceback.txt');
    expect(stdout).not.toMatch(/[\u001b\u0007\u202e]/);
  });

  test('outputs are unsealed once, and never over what is there', async () => {
    const { folder } = await finished();
    expect(readdirSync(folder).sort()).toEqual(['index.json', 'notebook.ipynb', 'outputs', 'study.attestation.json']);
    const again = await run('outputs', 'latest');
    expect([again.code, again.stderr.includes('(file_exists)')]).toEqual([1, true]);
  });

  test('mocks and the catalog', async () => {
    expect((await run('assets', 'list')).stdout).toMatch(/hospital\/table\s+dataset\s+1/);
    expect((await run('assets', 'mocks')).stdout).toContain('fetched');
    await writeFile(join(bench.workspace, 'mocks/hospital/table.csv'), 'mine');
    const again = await run('assets', 'mocks');
    expect([again.code, again.stdout.includes('DIFFERS')]).toEqual([1, true]);
    expect(await readFile(join(bench.workspace, 'mocks/hospital/table.csv'), 'utf8')).toBe('mine');
  });

  test('keys: shown, backed up and restored, and never replaced', async () => {
    const shown = json(await run('keys', 'show', '--json'));
    expect(JSON.stringify(shown)).not.toContain('SECRET');
    const passphrase = await bench.put('passphrase', 'four words nobody guesses\n');
    const backup = join(bench.workspace, 'keys.age');
    expect((await run('keys', 'backup', backup)).stderr).toContain('(usage)');
    expect((await run('keys', 'backup', backup, '--passphrase-file', passphrase)).code).toBe(0);
    expect((await run('keys', 'restore', backup, '--passphrase-file', passphrase)).stderr).toContain('(file_exists)');
    const elsewhere = join(bench.workspace, 'other-home');
    const restored = await cli.run(['--home', elsewhere, 'keys', 'restore', backup, '--passphrase-file', passphrase, '--json']);
    expect(member(json(restored), 'analyst')).toBe(member(shown, 'analyst'));
  }, 60_000);
});

describe('verify', () => {
  test('simulated is 3, and never green', async () => {
    const { report, folder } = await finished();
    const result = await run('verify', report, '--outputs', folder);
    expect(result.code).toBe(3);
    expect(result.stdout).toContain('SIMULATED ONLY');
    expect(result.stdout).toContain('does not prove');
    expect(result.stdout).toMatch(/pass\s+opened_outputs/);
    const checks = json(await run('verify', report, '--outputs', folder, '--json'));
    expect(checks).toMatchObject({ schema: 'cloister.verify.v1', reports: [{ verdict: 'simulated' }], equivocation: [], exit: 3 });
  });

  test('one byte changed in an output is 1, with expected and actual', async () => {
    const { report, folder } = await finished();
    await writeFile(join(folder, 'outputs/metrics.json'), '{"auc":2}');
    const result = await run('verify', report, '--outputs', folder);
    expect(result.code).toBe(1);
    expect(result.stdout).toMatch(/FAIL\s+opened_outputs/);
    expect(result.stdout).toMatch(/expected .*metrics\.json/);
    expect(result.stdout).toMatch(/actual/);
    expect((await run('verify', report)).code).toBe(3);
  });

  test('what cannot be checked is 2: no report, no trust, no policy, no index', async () => {
    const { report } = await finished();
    const empty = join(bench.workspace, 'empty');
    await mkdir(empty);
    expect((await run('verify', 'nowhere.json')).code).toBe(2);
    expect((await run('verify', report, '--outputs', empty)).code).toBe(2);
    expect((await run('verify', report, '--policy', 'nowhere.json')).code).toBe(2);
    expect((await run('verify', report, '--trust', 'nowhere.json')).code).toBe(2);
    await rm(join(bench.home, 'agent/appraisal.json'));
    const result = await run('verify', report);
    expect([result.code, result.stdout.includes('COULD NOT CHECK')]).toEqual([2, true]);
    expect(result.stdout).toMatch(/unknown\s+policy/);
  });

  test('what is no report is 1', async () => {
    await bench.put('x.attestation.json', 'not JSON');
    await bench.put('y.attestation.json', '{}');
    expect((await run('verify', 'x.attestation.json')).code).toBe(1);
    expect((await run('verify', 'y.attestation.json')).code).toBe(1);
  });

  test('needs neither network nor keys: only the report, trust and policy', async () => {
    const { report } = await finished();
    const trust = join(bench.home, 'agent/trust.json');
    const policy = join(bench.home, 'agent/appraisal.json');
    const nowhere = join(bench.workspace, 'no-state');
    const result = await cli.run(['--home', nowhere, 'verify', report, '--trust', trust, '--policy', policy]);
    expect(result.code).toBe(3);
    expect(readdirSync(bench.workspace)).not.toContain('no-state');
  });
});
