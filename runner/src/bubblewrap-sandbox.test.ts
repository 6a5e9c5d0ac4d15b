import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { createBubblewrapSandbox, type BubblewrapOptions } from './bubblewrap-sandbox.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PYTHON = join(ROOT, '.venv/bin/python');
const base = mkdtempSync(join(realpathSync(tmpdir()), 'bubblewrap-sandbox-'));

afterAll(() => rmSync(base, { recursive: true }));

/** One machine: an environment, and beside it the state with its sockets, keys and scratch. */
function machine(name: string): { readonly environment: string; readonly state: string; readonly options: BubblewrapOptions } {
  const environment = join(base, name, 'environment');
  const state = join(base, name, '.cloister');
  for (const folder of ['run', 'tee', 'image', 'home', 'scratch']) mkdirSync(join(state, folder), { recursive: true });
  return {
    environment,
    state,
    options: {
      python: PYTHON,
      driverDir: join(ROOT, 'python/runner'),
      cloisterModuleDir: join(ROOT, 'python'),
      scratch: join(state, 'scratch'),
      sandboxList: join(state, 'scratch.sandboxes'),
      teeSocket: join(state, 'tee/tee.sock'),
      runnerFiles: [join(state, 'image')],
      keptApart: ['run', 'tee', 'image', 'home', 'scratch'].map(folder => join(state, folder))
    }
  };
}

function environmentIn(folder: string): string {
  mkdirSync(join(folder, 'bin'), { recursive: true });
  symlinkSync(realpathSync(PYTHON), join(folder, 'bin/python'));
  writeFileSync(join(folder, 'pyvenv.cfg'), readFileSync(join(ROOT, '.venv/pyvenv.cfg')));
  return join(folder, 'bin/python');
}

test('the environment of the checkout serves, and no sandbox stays on the list', async () => {
  const { options } = machine('ordinary');
  const { probes } = await createBubblewrapSandbox(options).prepare();
  expect(probes.length).toBeGreaterThan(0);
  expect(existsSync(options.sandboxList ?? '')).toBe(false);
}, 60_000);

test('the system’s Python serves', async () => {
  const { options } = machine('system');
  expect((await createBubblewrapSandbox({ ...options, python: '/usr/bin/python3' }).prepare()).form).toMatch(/proc$/);
}, 60_000);

test.each([
  ['above the state', (state: string) => join(state, '..')],
  ['that is the state', (state: string) => state],
  ['above the gateway', (state: string) => join(state, 'run')],
  ['below the scratch', (state: string) => join(state, 'scratch/environment')],
  ['below the runner’s home', (state: string) => join(state, 'home/environment')],
  ['beside the launcher’s socket', (state: string) => join(state, 'tee/environment')]
])('an environment %s is refused before anything else happens', async (name, folder) => {
  const { options, state } = machine(name);
  const python = environmentIn(folder(state));
  await expect(createBubblewrapSandbox({ ...options, python }).prepare()).rejects.toMatchObject({ code: 'sandbox_leaks' });
}, 60_000);

test('a Python by way of /proc is refused', async () => {
  const { options } = machine('proc');
  await expect(createBubblewrapSandbox({ ...options, python: '/proc/self/root/usr/bin/python3' }).prepare()).rejects.toMatchObject({ code: 'sandbox_leaks' });
}, 60_000);
