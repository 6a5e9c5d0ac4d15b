import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import type { SandboxForm } from './bubblewrap.js';
import { describeInterpreter } from './interpreter.js';
import { PROBES, probeSandbox, requireBlocked, type ProbeTargets } from './probe.js';
import { findSandbox } from './sandbox-form.js';

const ROOT = resolve(import.meta.dirname, '../../..');
const scratch = mkdtempSync(join(tmpdir(), 'cloister-probe-test-'));
const secret = join(scratch, 'image', 'runner.js');
const teeSocket = join(scratch, 'teeserver.sock');
const tee = createServer();
let form: SandboxForm;
let targets: ProbeTargets;

beforeAll(async () => {
  mkdirSync(join(scratch, 'image'));
  mkdirSync(join(scratch, 'modules/cloister'), { recursive: true });
  writeFileSync(secret, '');
  tee.listen(teeSocket);
  await once(tee, 'listening');
  form = await findSandbox();
  targets = {
    interpreter: await describeInterpreter(join(ROOT, '.venv/bin/python')),
    driverDir: join(ROOT, 'python/runner'),
    cloisterModuleDir: join(scratch, 'modules'),
    scratch,
    teeSocket,
    runnerFiles: [join(scratch, 'image'), join(ROOT, 'runner')]
  };
});

afterAll(() => {
  tee.close();
  rmSync(scratch, { recursive: true, force: true });
});

test('both sandboxes block every probe, with a fresh /proc and with an empty one, with the sysctl and without', async () => {
  for (const each of [form, { ...form, sysctl: false }, { ...form, kind: 'empty-proc' as const, sysctl: false }]) {
    const results = await probeSandbox(each, targets);
    expect(results.filter(({ blocked }) => !blocked)).toEqual([]);
    expect(results).toHaveLength(2 * PROBES.length);
    expect(() => requireBlocked(results)).not.toThrow();
  }
}, 60_000);

test('every probe reports what it reaches where nothing holds it', async () => {
  const tcp = createServer(connection => connection.destroy()).listen(0, '127.0.0.1');
  const abstract = spawn(targets.interpreter.path, [join(targets.driverDir, 'probe/abstract_listener.py'), scratch]);
  await Promise.all([once(tcp, 'listening'), once(abstract.stdout, 'data')]);
  const stat = readFileSync('/proc/self/stat', 'latin1');
  const address = tcp.address();
  const reached = await outside({
    teeSocket,
    metadataAddress: '127.0.0.1',
    metadataName: 'localhost',
    network: { addresses: ['127.0.0.1'], loopback: ['lo'] },
    loopbackPort: typeof address === 'object' && address !== null ? address.port : 0,
    abstractSocket: scratch,
    runnerFiles: [secret],
    otherSandbox: [secret],
    firstFile: 3,
    host: { pid: process.pid, startTime: stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19], pidNamespace: readlinkSync('/proc/self/ns/pid') },
    devices: { forbidden: [], allowed: [] },
    write: { folders: [scratch], files: [] }
  });
  tcp.close();
  abstract.stdin.end();
  await once(abstract, 'close');
  expect(reached).toEqual({ reached: Object.fromEntries(PROBES.map(probe => [probe, true])) });
}, 60_000);

/** The probe with no sandbox, but for what stands in for its absence: the caller’s own process. */
async function outside(questions: unknown): Promise<unknown> {
  const child = spawn(targets.interpreter.path, ['-I', join(targets.driverDir, 'probe/probe.py')], { stdio: ['pipe', 'pipe', 'inherit', 'pipe'] });
  child.stdin?.end(JSON.stringify(questions));
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await once(child, 'close');
  return JSON.parse(text);
}

test('a probe that ends in an error counts as reached', async () => {
  expect(await outside({})).toMatchObject({ reached: { tee_socket: true, runner_files: true, write_outside: true } });
});

test('what a sandbox shows is found: the runner refuses, and says what was reached from where', async () => {
  const leaky = { ...targets, teeSocket: '/usr/bin/env', runnerFiles: [secret, '/usr/bin/env'] };
  const results = await probeSandbox(form, leaky);
  expect(() => requireBlocked(results)).toThrow(expect.objectContaining({
    code: 'sandbox_leaks',
    members: expect.objectContaining({ reached: expect.arrayContaining(['kernel:tee_socket', 'driver:tee_socket', 'kernel:runner_files', 'driver:runner_files']) as string[] }) as object
  }) as Error);
}, 60_000);

test.each([
  ['the runner’s image', () => join(scratch, 'image')],
  ['its scratch', () => scratch]
])('a Python whose folder shows %s is no reason to leave that out', async (_, shown) => {
  const interpreter = { ...targets.interpreter, roots: [...targets.interpreter.roots, shown()] };
  const results = await probeSandbox(form, { ...targets, interpreter, runnerFiles: [join(scratch, 'image')] });
  expect(results.filter(({ blocked }) => !blocked).map(({ probe, sandbox }) => `${sandbox}:${probe}`)).toEqual(expect.arrayContaining(['kernel:runner_files', 'driver:runner_files']));
}, 60_000);

test('no results are no proof', () => {
  expect(() => requireBlocked([])).toThrow(expect.objectContaining({ code: 'sandbox_leaks' }) as Error);
});

test('a probe that does not run is a leak, not a pass', async () => {
  const driverDir = join(scratch, 'runner-files');
  execFileSync('cp', ['-r', targets.driverDir, driverDir]);
  writeFileSync(join(driverDir, 'probe/probe.py'), 'print("{}")');
  await expect(probeSandbox(form, { ...targets, driverDir })).rejects.toMatchObject({ code: 'sandbox_leaks' });
}, 60_000);
