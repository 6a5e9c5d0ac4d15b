import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Digest } from '@cloister/protocol';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { waitForInstance } from '../contract.js';
import { instanceName, type Instance, type LaunchRequest } from '../port.js';
import { InstanceStore } from './instance-store.js';
import { LocalBackend } from './local-backend.js';
import { until, waitForEnd, type ProcessIdentity } from './processes.js';
import { bundle, makePlace, type LocalPlace } from './testing.js';

const never = new AbortController().signal;
const job = Digest.parse(`sha256:${'ab'.repeat(32)}`);
const name = instanceName(job, 1);
const terminated = (instance: Instance): boolean => instance.status === 'terminated';

let shared: string;
let launcherEntry: string;
let place: LocalPlace;

beforeAll(async () => {
  shared = await mkdtemp(join(tmpdir(), 'clo-'));
  launcherEntry = await bundle("import './launcher-main.js';", join(shared, 'launcher.mjs'));
});
afterAll(() => rm(shared, { recursive: true, force: true }));
beforeEach(async () => {
  place = await makePlace(launcherEntry, join(shared, 'simulator'));
});
afterEach(() => place.dispose());

const request = (mode: string, changes: Partial<LaunchRequest> = {}): LaunchRequest => ({
  name,
  job,
  attempt: 1,
  requestId: randomUUID(),
  env: { TEST_MODE: mode },
  labels: {},
  maxRunSeconds: 120,
  ...changes
});
const directory = () => new InstanceStore(place.options.stateDir).at(name);
const launch = (mode: string) => place.backend.launch(request(mode), never);
const launcherLog = () => readFile(directory().launcherLog, 'utf8');

async function runToEnd(mode: string): Promise<Instance> {
  await launch(mode);
  return waitForInstance(place.backend, name, terminated);
}

async function launcherOf(): Promise<ProcessIdentity> {
  const launcher = (await directory().readClaim())?.launcher;
  if (launcher === undefined || launcher === null) throw new Error('no launcher has claimed the instance');
  return launcher;
}

async function killLauncher(): Promise<void> {
  process.kill((await launcherOf()).pid, 'SIGKILL');
}

/** Numbers of the processes whose command line names the instance's scratch directory. */
async function escaped(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter(pid => /^[0-9]+$/.test(pid));
  const commands = await Promise.all(pids.map(pid => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return pids.filter((_, at) => commands[at]?.split('\0').includes(directory().scratch));
}

async function waitUntil(holds: () => Promise<boolean>): Promise<void> {
  if (!(await until(10_000, holds))) throw new Error('did not happen in time');
}

const waitForEscape = () => waitUntil(async () => (await readdir(directory().path)).includes('scratch.sandboxes'));
/** The workload stands in its deepest folder, which has no path that a call could take, only a link to it. */
const waitForNest = () => waitUntil(async () => (await readdir(join(directory().scratch, 'notebook-chosen-'.padEnd(200, 'd'))).catch(() => [])).length > 0);
const leftInInstance = async () => (await readdir(directory().path)).filter(entry => entry.startsWith('scratch'));

test('folders nested deeper than a path can be long are removed when the workload ends', async () => {
  expect(await runToEnd('nests')).toMatchObject({ exitCode: 0 });
  expect(await directory().readStatus()).toMatchObject({ status: 'terminated', reason: 'exited' });
  expect(await leftInInstance()).toEqual([]);
  expect(await launcherLog()).not.toContain('notebook-chosen');
});

test('folders nested deeper than a path can be long are removed after the launcher was killed', async () => {
  await launch('nests_and_stays');
  await waitForNest();
  await killLauncher();
  await waitForInstance(place.backend, name, terminated);
  expect(await new LocalBackend(place.options).list()).toMatchObject([{ name, status: 'terminated' }]);
  expect(await leftInInstance()).toEqual([]);
});

test('folders nested deeper than a path can be long are removed by delete', async () => {
  await launch('nests_and_stays');
  await waitForNest();
  await place.backend.delete(name);
  expect(await readdir(place.options.stateDir)).toEqual([]);
});

test('what outlived the runner in a pid namespace of its own is killed when the workload ends', async () => {
  expect(await runToEnd('escapes')).toMatchObject({ exitCode: 0 });
  expect(await escaped()).toEqual([]);
  expect(await leftInInstance()).toEqual([]);
});

test('what outlived the runner in a pid namespace of its own is killed after the launcher was killed', async () => {
  await launch('escapes_and_stays');
  await waitForEscape();
  expect(await escaped()).not.toEqual([]);
  await killLauncher();
  await waitForInstance(place.backend, name, terminated);
  expect(await escaped()).toEqual([]);
  expect(await leftInInstance()).toEqual([]);
});

test('what outlived the runner in a pid namespace of its own is killed by delete', async () => {
  await launch('escapes_and_stays');
  await waitForEscape();
  await killLauncher();
  await place.backend.delete(name);
  expect(await escaped()).toEqual([]);
  expect(await readdir(place.options.stateDir)).toEqual([]);
});

test('a sandbox that was being made when its runner was killed is not on the list, and is killed all the same', async () => {
  await runToEnd('ends');
  const of = createHash('sha256').update(directory().sandboxList).digest('hex');
  const child = spawn('sleep', ['600'], { detached: true, env: { CLOISTER_SANDBOX_OF: of }, stdio: 'ignore' });
  const ended = once(child, 'exit');
  await place.backend.delete(name);
  expect(await ended).toEqual([null, 'SIGKILL']);
});

test('what cannot be removed is told by a code, hinders no other job, and is removed as soon as it can be', async () => {
  await launch('escapes_and_stays');
  await waitForEscape();
  const launchFile = join(directory().path, 'launch.json');
  const sound = await readFile(launchFile, 'utf8');
  // No system call takes a name of this length, so nobody can say that it is gone.
  const { runDir } = (await directory().readLaunch()) ?? { runDir: '' };
  await writeFile(launchFile, sound.replace(runDir, join(dirname(runDir), 'x'.repeat(300))));
  await killLauncher();
  await waitForInstance(place.backend, name, terminated);
  expect(await directory().readStatus()).toMatchObject({ status: 'terminated', reason: 'launcher_lost' });
  expect(await leftInInstance()).toEqual([]);
  expect(await launcherLog()).toContain('"code":"files_remain"');
  expect(await launcherLog()).not.toContain('xxx');
  await expect(place.backend.delete(name)).rejects.toMatchObject({ code: 'internal' });

  const second = instanceName(job, 2);
  await place.backend.launch(request('ends', { name: second, attempt: 2 }), never);
  expect(await waitForInstance(place.backend, second, terminated)).toMatchObject({ exitCode: 3 });

  await writeFile(launchFile, sound);
  expect(await readdir(place.options.socketRoot)).not.toEqual([]);
  await place.backend.launch(request('ends', { name: instanceName(job, 3), attempt: 3 }), never);
  await waitForInstance(place.backend, instanceName(job, 3), terminated);
  expect(await readdir(place.options.socketRoot)).toEqual([]);
});

test.each([
  { what: 'its launch file lost', damage: (path: string) => rm(join(path, 'launch.json')) },
  { what: 'a folder for a launch file', damage: async (path: string) => { await rm(join(path, 'launch.json')); await mkdir(join(path, 'launch.json')); } },
  { what: 'a folder for a status', damage: async (path: string) => { await rm(join(path, 'status.json')); await mkdir(join(path, 'status.json', 'x'), { recursive: true }); } },
  { what: 'a file for its directory', damage: async (path: string) => { await rm(path, { recursive: true }); await writeFile(path, ''); } }
])('an instance with $what is listed as terminated, leaves no plaintext, and can be deleted', async ({ damage }) => {
  await runToEnd('ends');
  // While it lives the instance is its own to clear.
  expect(await waitForEnd(await launcherOf(), 10_000)).toBe(true);
  await mkdir(join(directory().scratch, 'plain'), { recursive: true });
  await damage(directory().path);
  const next = new LocalBackend(place.options);
  const second = instanceName(job, 2);
  await next.launch(request('ends', { name: second, attempt: 2 }), never);
  await waitForInstance(next, second, terminated);
  expect((await next.list()).map(instance => instance.status)).toEqual(['terminated', 'terminated']);
  expect(await readdir(directory().path).catch(() => [])).not.toContain('scratch');
  await next.delete(name);
  expect((await next.list()).map(instance => instance.name)).toEqual([second]);
});
