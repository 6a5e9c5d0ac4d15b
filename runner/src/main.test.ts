import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { serveLauncher } from './testing/fake-launcher.js';
import { openResults } from './testing/open-results.js';
import { createRig, SERVER, type Rig, type RigOptions } from './testing/rig.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PYTHON = join(ROOT, '.venv/bin/python');
const WITHIN_MS = 120_000;

let image: string;
const cleanups: (() => Promise<void>)[] = [];

/** The runner as it runs in a TEE: one file, the Python beside it. */
beforeAll(async () => {
  image = await mkdtemp(join(tmpdir(), 'image-'));
  await build({
    entryPoints: [join(ROOT, 'runner/src/main.ts')], outfile: join(image, 'runner.mjs'), bundle: true, platform: 'node', format: 'esm', target: 'node20',
    conditions: ['@cloister/source'], logLevel: 'silent',
    banner: { js: "import { createRequire as nodeRequire } from 'node:module';\nconst require = nodeRequire(import.meta.url);" }
  });
  await cp(join(ROOT, 'python/runner'), join(image, 'driver'), { recursive: true });
  await cp(join(ROOT, 'python/cloister'), join(image, 'python/cloister'), { recursive: true });
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

afterAll(() => rm(image, { recursive: true, force: true }));

interface Launched {
  readonly rig: Rig;
  readonly child: ChildProcess;
  readonly log: () => string;
  readonly scratch: string;
  /** File with the sandboxes that live. */
  readonly list: string;
  readonly exitCode: Promise<number | null>;
}

/** @param wrap a command that the runner is started by */
async function launch(options: RigOptions, wrap: (scratch: string) => readonly string[] = () => []): Promise<Launched> {
  const rig = await createRig(options);
  cleanups.push(() => rig.close());
  const container = await mkdtemp(join(tmpdir(), 'container-'));
  cleanups.push(() => rm(container, { recursive: true, force: true }));
  const scratch = join(container, 'scratch');
  const tee = join(container, 'tee');
  for (const folder of [scratch, tee]) await mkdir(folder);
  const teeSocket = join(tee, 'tee.sock');
  const launcher = await serveLauncher(teeSocket, rig.world, rig.verifier);
  cleanups.push(() => launcher.close());
  const env = {
    PATH: '/usr/bin:/bin', CLOISTER_SERVER: SERVER, CLOISTER_JOB: rig.world.manifest.digest, CLOISTER_ATTEMPT: '1', CLOISTER_GATEWAY: rig.socket,
    CLOISTER_PYTHON: PYTHON, CLOISTER_TEE_SOCKET: teeSocket, CLOISTER_SCRATCH: scratch
  };
  const [command = '', ...args]: readonly string[] = [...wrap(scratch), process.execPath, join(image, 'runner.mjs')];
  const child = spawn(command, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  cleanups.push(async () => void child.kill('SIGKILL'));
  const lines: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => lines.push(text));
  return { rig, child, scratch, list: `${scratch}.sandboxes`, log: () => lines.join(''), exitCode: once(child, 'close').then(() => child.exitCode) };
}

test('the bundled runner runs a notebook on real inputs in a real sandbox, and its report verifies', { timeout: WITHIN_MS }, async () => {
  const cells = [
    'import cloister, pathlib\nrows = [cloister.read_csv(name) for name in ("hospital/table", "registry/table")]\nprint(list(rows[0]["value"]) + list(rows[1]["value"]))',
    'pathlib.Path("outputs/metrics.json").write_text(\'{"auc": 1}\')'
  ];
  const { rig, exitCode, log, scratch } = await launch({ world: { owners: ['hospital', 'registry'], cells } });
  expect({ exitCode: await exitCode, log: log() }).toMatchObject({ exitCode: 0 });
  const { verified, text } = await openResults(rig);
  expect(verified.verdict).toBe('simulated');
  expect(verified.evidence?.statement.predicate).toMatchObject({ outcome: { status: 'succeeded' }, cells: { done: 2, total: 2 } });
  expect(text('notebook.ipynb')).toContain("['hospital', 'registry']");
  expect(text('outputs/metrics.json')).toBe('{"auc": 1}');
  expect(await readdir(scratch)).toEqual([]);
  for (const line of log().trim().split('\n')) expect(line).toMatch(/^\{"time":"[^"]+","event":"[a-z_:]+"(,"[a-z]+":\d+)*\}$/);
});

test('the traceback and the outputs of a failing notebook come back sealed, and the operator sees a code', { timeout: WITHIN_MS }, async () => {
  const cells = ['open("outputs/part.txt", "w").write("half")', 'secret = 42\nraise ValueError(f"secret is {secret}")', 'print("never")'];
  const { rig, exitCode, log } = await launch({ world: { cells } });
  expect({ exitCode: await exitCode, log: log() }).toMatchObject({ exitCode: 0 });
  const { verified, text } = await openResults(rig);
  expect(verified.verdict).toBe('simulated');
  expect(verified.evidence?.statement.predicate).toMatchObject({ outcome: { status: 'failed', code: 'cell_failed' } });
  expect(text('traceback.txt')).toContain('ValueError: secret is 42');
  expect(text('outputs/part.txt')).toBe('half');
  expect(log() + Buffer.concat(rig.server.seen).toString('latin1')).not.toContain('secret is');
});

test('a runner that is told to end stops its notebook, says so and leaves nothing', { timeout: WITHIN_MS }, async () => {
  const { rig, child, exitCode, scratch } = await launch({ world: { cells: ['import time\ntime.sleep(600)'] } });
  await until(() => rig.server.progress.some(({ state }) => state === 'running'));
  child.kill('SIGTERM');
  expect(await exitCode).toBe(1);
  expect(rig.server.failures).toEqual([{ code: 'runner_lost', denials: [] }]);
  expect(await readdir(scratch)).toEqual([]);
});

test('what a killed runner leaves in a sandbox can be found by the list beside its scratch, and a runner that ends leaves no list', { timeout: WITHIN_MS }, async () => {
  const { rig, child, exitCode, list } = await launch({ world: { cells: ['import time\ntime.sleep(600)'] } });
  await until(() => rig.server.progress.some(({ cells }) => cells?.total === 1));
  const living = (await readFile(list, 'utf8')).trim().split('\n');
  expect(living).toHaveLength(2);
  const found = new Set<string>();
  for (const pid of await readdir('/proc')) found.add(await stat(`/proc/${pid}/ns/pid`).then(({ ino }) => String(ino), () => ''));
  expect(living.filter(inode => found.has(inode))).toEqual(living);
  child.kill('SIGKILL');
  await exitCode;
  expect((await readFile(list, 'utf8')).trim().split('\n')).toEqual(living);
  const orderly = await launch({ world: { cells: ['1'] } });
  expect({ exitCode: await orderly.exitCode, log: orderly.log() }).toMatchObject({ exitCode: 0 });
  await expect(stat(orderly.list)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a disk that is full while outputs are sealed ends the attempt with its own code', { timeout: WITHIN_MS }, async () => {
  // The notebook's files fit, their sealed copies do not.
  const cells = ['import os\nopen("outputs/big.bin", "wb").write(os.urandom(5_000_000))'];
  const small = (scratch: string): readonly string[] => ['/usr/bin/bwrap', '--dev-bind', '/', '/', '--size', '8000000', '--tmpfs', scratch];
  const { rig, exitCode, log } = await launch({ world: { cells } }, small);
  expect({ exitCode: await exitCode, log: log() }).toMatchObject({ exitCode: 1 });
  expect(rig.server.failures).toEqual([{ code: 'storage_full', denials: [] }]);
  expect(rig.server.progress.at(-1)?.state).toBe('sealing');
  expect(rig.server.progress.at(-1)?.cells?.done).toBeGreaterThan(0);
  expect(rig.server.report).toBeUndefined();
});

async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + WITHIN_MS / 2;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error('it did not come to that');
    await pause(20);
  }
}
