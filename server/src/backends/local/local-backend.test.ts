import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { appendFile, lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Digest, parseToken } from '@cloister/protocol';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { describeTeeBackend, waitForInstance } from '../contract.js';
import { instanceName, type Instance, type LaunchRequest } from '../port.js';
import { InstanceStore } from './instance-store.js';
import { LocalBackend } from './local-backend.js';
import { measureImage } from './measure.js';
import { findMarked, identify, isAlive, until } from './processes.js';
import { bundle, makePlace, type LocalPlace } from './testing.js';

let shared: string;
let launcherEntry: string;
let keysDir: string;

beforeAll(async () => {
  shared = await mkdtemp(join(tmpdir(), 'clo-'));
  keysDir = join(shared, 'simulator');
  launcherEntry = await bundle("import './launcher-main.js';", join(shared, 'launcher.mjs'));
});
afterAll(() => rm(shared, { recursive: true, force: true }));

describeTeeBackend('local', async () => {
  const place = await makePlace(launcherEntry, keysDir);
  return {
    backend: place.backend,
    reopen: () => new LocalBackend(place.options),
    environment: workload => ({ TEST_MODE: workload }),
    changeImage: () => appendFile(join(place.options.imageDir, 'runner.mjs'), '\n'),
    dispose: () => place.dispose()
  };
});

describe('local backend', () => {
  const never = new AbortController().signal;
  const job = Digest.parse(`sha256:${'ab'.repeat(32)}`);
  const name = instanceName(job, 1);
  const terminated = (instance: Instance): boolean => instance.status === 'terminated';
  const running = (instance: Instance): boolean => instance.status === 'running';
  let place: LocalPlace;

  beforeEach(async () => {
    place = await makePlace(launcherEntry, keysDir);
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
  const launcherOf = async () => {
    const launcher = (await directory().readClaim())?.launcher;
    if (launcher === undefined || launcher === null) throw new Error('no launcher has claimed the instance');
    return launcher;
  };
  const runToEnd = async (mode: string, changes: Partial<LaunchRequest> = {}): Promise<Instance> => {
    await place.backend.launch(request(mode, changes), never);
    return waitForInstance(place.backend, name, terminated);
  };
  const log = () => readFile(directory().workloadLog, 'utf8');

  test('the exit code of the workload is told; its scratch and its sockets are gone, its log stays', async () => {
    const launch = place.backend.launch(request('ends'), never);
    expect((await launch).status).not.toBe('terminated');
    expect(await waitForInstance(place.backend, name, terminated)).toMatchObject({ exitCode: 3, imageDigest: await measureImage(place.options.imageDir) });
    expect((await readdir(directory().path)).sort()).toEqual(['claim.json', 'launch.json', 'launcher.log', 'status.json', 'workload.log']);
    expect(await readdir(place.options.socketRoot)).toEqual([]);
  });

  test('the workload sees its own environment, nothing of the daemon’s, and short private places', async () => {
    await runToEnd('tells');
    const runDir = (await directory().readLaunch())?.runDir ?? '';
    expect(JSON.parse(await log())).toEqual({
      cwd: place.options.imageDir,
      args: [join(place.options.imageDir, 'runner.mjs')],
      env: {
        TEST_MODE: 'tells',
        HOSTNAME: name,
        PATH: '/usr/local/bin:/usr/bin:/bin',
        LANG: 'C.UTF-8',
        HOME: directory().scratch,
        TMPDIR: join(runDir, 't'),
        CLOISTER_SCRATCH: directory().scratch,
        CLOISTER_TEE_SOCKET: join(runDir, 'tee.sock')
      }
    });
  });

  test('the workload gets a token about itself and the measured image from its socket', async () => {
    const { imageDigest } = await runToEnd('attests');
    const { claims, header } = parseToken(await log());
    expect(header['x5c']).toHaveLength(3);
    expect(claims).toMatchObject({
      aud: 'urn:cloister:release',
      eat_nonce: 'a-nonce-of-the-workload',
      hwmodel: 'SIMULATED',
      submods: { container: { image_digest: imageDigest, env_override: { TEST_MODE: 'attests' } }, gce: { instance_name: name } }
    });
  });

  test('private files have mode 0600, private directories 0700, the socket 0777', async () => {
    await place.backend.launch(request('stays'), never);
    await waitForInstance(place.backend, name, running);
    const runDir = (await directory().readLaunch())?.runDir ?? '';
    const mode = async (path: string): Promise<number> => (await lstat(path)).mode & 0o777;
    for (const path of [place.options.stateDir, directory().path, directory().scratch, runDir, join(runDir, 't')]) expect(await mode(path)).toBe(0o700);
    for (const path of ['launch.json', 'claim.json', 'status.json', 'launcher.log', 'workload.log']) expect(await mode(join(directory().path, path))).toBe(0o600);
    expect(await mode(join(runDir, 'tee.sock'))).toBe(0o777);
  });

  test('a log over 1 MiB is cut, and the workload is not held up', async () => {
    expect(await runToEnd('floods')).toMatchObject({ exitCode: 0 });
    expect((await log()).length).toBeLessThan((1 << 20) + 100);
  });

  test('what the workload left behind in a session of its own is killed when it ends', async () => {
    await runToEnd('forks');
    expect(await findMarked(directory().mark)).toEqual([]);
  });

  test('a workload that ignores SIGTERM is killed when its time is over', async () => {
    expect(await runToEnd('stubborn', { maxRunSeconds: 1 })).toMatchObject({ exitCode: 128 + 9 });
    expect(await directory().readStatus()).toMatchObject({ reason: 'max_run_seconds' });
  });

  test('delete leaves no process and no file, also of a workload that ignores SIGTERM', async () => {
    await place.backend.launch(request('stubborn'), never);
    await waitForInstance(place.backend, name, running);
    const [launcher, { mark }] = [await launcherOf(), directory()];
    expect(await findMarked(mark)).not.toEqual([]);
    await place.backend.delete(name);
    expect(await isAlive(launcher)).toBe(false);
    expect(await findMarked(mark)).toEqual([]);
    expect(await readdir(place.options.stateDir)).toEqual([]);
    expect(await readdir(place.options.socketRoot)).toEqual([]);
  });

  test('when its launcher is killed, an instance counts as terminated and its workload is killed', async () => {
    await place.backend.launch(request('stays'), never);
    await waitForInstance(place.backend, name, running);
    process.kill((await launcherOf()).pid, 'SIGKILL');
    const instance = await waitForInstance(place.backend, name, terminated);
    expect(instance.exitCode).toBeUndefined();
    expect(await findMarked(directory().mark)).toEqual([]);
    expect(await readdir(place.options.socketRoot)).toEqual([]);
  });

  test('a process that took the number of a dead launcher is neither adopted nor ended', async () => {
    await runToEnd('ends');
    const stranger = spawn('sleep', ['60']);
    const identity = await identify(stranger.pid ?? 0);
    if (identity === undefined) throw new Error('the stranger does not run');
    const claim = { v: 1, launcher: { ...identity, startTime: identity.startTime - 1 } };
    await writeFile(join(directory().path, 'claim.json'), JSON.stringify(claim));
    await directory().writeStatus({ v: 1, status: 'running' });
    expect(await place.backend.get(name)).toMatchObject({ status: 'terminated' });
    await place.backend.delete(name);
    expect(await isAlive(identity)).toBe(true);
    stranger.kill('SIGKILL');
  });

  test('a launch that a daemon began and never finished is finished by the next one', async () => {
    await runToEnd('ends');
    // As after a crash between making the directory and starting the launcher.
    for (const file of ['claim.json', 'status.json']) await rm(join(directory().path, file));
    const launch = await directory().readLaunch();
    expect(await place.backend.get(name)).toMatchObject({ status: 'starting' });
    await place.backend.launch(request('ends'), never);
    expect(await waitForInstance(place.backend, name, terminated)).toMatchObject({ exitCode: 3, launchedAt: launch?.createdAt });
  });

  test('a launch that nobody finished in time is over: no launcher takes it any more', async () => {
    await runToEnd('ends');
    for (const file of ['claim.json', 'status.json']) await rm(join(directory().path, file));
    const launch = await directory().readLaunch();
    await writeFile(join(directory().path, 'launch.json'), JSON.stringify({ ...launch, createdAt: '2026-01-01T00:00:00.000Z' }));
    expect(await place.backend.get(name)).toMatchObject({ status: 'terminated' });
    await expect(place.backend.launch(request('ends'), never)).rejects.toMatchObject({ code: 'launch_failed' });
    expect(await directory().readClaim()).toBeUndefined();
  });

  test('a damaged instance is listed as terminated and can be deleted', async () => {
    await mkdir(directory().path, { recursive: true, mode: 0o700 });
    await writeFile(join(directory().path, 'launch.json'), '{');
    expect(await place.backend.list()).toMatchObject([{ name, status: 'terminated', labels: {} }]);
    await place.backend.delete(name);
    expect(await place.backend.list()).toEqual([]);
  });

  test('a socket path that the kernel would cut is refused before anything is stored', async () => {
    const backend = new LocalBackend({ ...place.options, socketRoot: join(place.root, 'x'.repeat(90)) });
    await expect(backend.launch(request('stays'), never)).rejects.toMatchObject({ code: 'launch_failed', hint: 'Name a shorter directory for sockets.' });
    expect(await backend.list()).toEqual([]);
  });

  test('a directory for sockets that others can enter is refused', async () => {
    await mkdir(place.options.socketRoot, { mode: 0o755 });
    await expect(place.backend.launch(request('stays'), never)).rejects.toMatchObject({ code: 'key_unsafe' });
    expect(await place.backend.list()).toEqual([]);
  });

  test.each([
    { what: 'what a launch request may set', extraEnv: { CLOISTER_SERVER: 'http://x' } },
    { what: 'the socket', extraEnv: { CLOISTER_TEE_SOCKET: '/tmp/other' } },
    { what: 'what changes how node runs', extraEnv: { NODE_OPTIONS: '--import=/tmp/x' } }
  ])('$what cannot be set unattested', async ({ extraEnv }) => {
    const backend = new LocalBackend({ ...place.options, extraEnv });
    await expect(backend.launch(request('stays'), never)).rejects.toMatchObject({ code: 'launch_failed' });
  });

  test.each([
    { what: 'no launcher', options: { launcherEntry: '/nonexistent/launcher.js' } },
    { what: 'no node', options: { nodePath: '/nonexistent/node' } },
    { what: 'no image', options: { imageDir: '/nonexistent/image' } }
  ])('with $what a launch fails and leaves nothing', async ({ options }) => {
    const backend = new LocalBackend({ ...place.options, ...options });
    await expect(backend.launch(request('stays'), never)).rejects.toMatchObject({ code: 'launch_failed' });
    expect(await backend.list()).toEqual([]);
  });

  test('an instance outlives a kill -9 of its daemon, and the next daemon adopts and ends it', async () => {
    const daemon = await bundle(
      `import { LocalBackend } from './local-backend.js';
       const { options, request } = JSON.parse(process.argv[2] ?? '');
       await new LocalBackend(options).launch(request, new AbortController().signal);
       setInterval(() => undefined, 1000);
       process.stdout.write('launched');`,
      join(shared, 'daemon.mjs')
    );
    const child = spawn(process.execPath, [daemon, JSON.stringify({ options: place.options, request: request('stays') })], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    const instance = await waitForInstance(place.backend, name, running);
    const launcher = await launcherOf();
    const workload = await findMarked(directory().mark);
    expect([instance.status, await isAlive(launcher), workload.length]).toEqual(['running', true, 1]);
    expect(await place.backend.launch(request('stays'), never)).toMatchObject({ launchedAt: instance.launchedAt });
    await place.backend.delete(name);
    expect(await until(5000, async () => !(await isAlive(launcher)) && !(await Promise.all(workload.map(isAlive))).includes(true))).toBe(true);
  });
});
