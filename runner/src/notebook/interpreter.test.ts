import { mkdirSync, mkdtempSync, readFileSync, readlinkSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';

import { describeInterpreter, requireApart } from './interpreter.js';

const ROOT = resolve(import.meta.dirname, '../../..');
const PYTHON = join(ROOT, '.venv/bin/python');
const base = mkdtempSync(join(realpathSync(tmpdir()), 'interpreter-'));

afterAll(() => rmSync(base, { recursive: true }));

/** A virtual environment as `python -m venv` makes it, but for its packages. */
function environmentIn(folder: string): string {
  mkdirSync(join(folder, 'bin'), { recursive: true });
  symlinkSync(realpathSync(PYTHON), join(folder, 'bin/python'));
  writeFileSync(join(folder, 'pyvenv.cfg'), readFileSync(join(ROOT, '.venv/pyvenv.cfg')));
  return join(folder, 'bin/python');
}

test('the environment of a checkout is shown with the Python that it links to, and the system’s Python needs no folder more', async () => {
  const { roots, prefix } = await describeInterpreter(PYTHON);
  const home = dirname(dirname(realpathSync(PYTHON)));
  expect(prefix).toBe(join(ROOT, '.venv'));
  expect(roots).toContain(join(ROOT, '.venv'));
  if (!home.startsWith('/usr')) expect(roots).toContain(home);
  expect(await describeInterpreter('/usr/bin/python3')).toEqual({ path: '/usr/bin/python3', prefix: '/usr', roots: [] });
});

test.each([
  ['through the root of a process', '/proc/self/root/usr/bin/python3'],
  ['through the root of the runner', `/proc/${process.pid}/root/usr/bin/python3`],
  ['through its working folder', '/proc/self/cwd/.venv/bin/python'],
  ['with dots', join(ROOT, '.venv/bin').concat('/../bin/python')],
  ['in a folder of the kernel', '/sys/bin/python3'],
  ['among devices', '/dev/shm/bin/python3'],
  ['among sockets', '/run/python/bin/python3'],
  ['that is not there', '/nonexistent/bin/python3']
])('an interpreter %s is refused before it is started', async (_, path) => {
  await expect(describeInterpreter(path)).rejects.toMatchObject({ code: 'sandbox_leaks' });
});

test('an interpreter whose folder is a link is refused, as is one that says its parts are in such a place', async () => {
  const real = join(base, 'real');
  environmentIn(real);
  symlinkSync(real, join(base, 'linked'));
  await expect(describeInterpreter(join(base, 'linked/bin/python'))).rejects.toMatchObject({ code: 'sandbox_leaks' });
  const liar = join(base, 'liar');
  writeFileSync(liar, '#!/bin/sh\necho \'["/proc/self/root","/usr","/usr","/usr"]\'\n', { mode: 0o700 });
  await expect(describeInterpreter(liar)).rejects.toMatchObject({ code: 'sandbox_leaks' });
  const led = join(base, 'led/bin');
  mkdirSync(led, { recursive: true });
  symlinkSync('/proc/self/root/usr/bin/python3', join(led, 'python'));
  await expect(describeInterpreter(join(led, 'python'))).rejects.toMatchObject({ code: 'sandbox_leaks' });
});

test('a link that names a version, as uv makes it, is followed', async () => {
  environmentIn(join(base, 'cpython-3.11.7'));
  symlinkSync('cpython-3.11.7', join(base, 'cpython-3.11'));
  mkdirSync(join(base, 'bin'));
  symlinkSync(join(base, 'cpython-3.11/bin/python'), join(base, 'bin/python'));
  expect(readlinkSync(join(base, 'cpython-3.11'))).toBe('cpython-3.11.7');
  const { roots } = await describeInterpreter(join(base, 'bin/python'));
  expect(roots.some(root => join(base, 'cpython-3.11').startsWith(root))).toBe(true);
});

test.each([
  ['above the state', 'ph', 'ph/.cloister/run'],
  ['of the state', 'state', 'state'],
  ['below the scratch', 'scratch/attempt/python', 'scratch'],
  ['above the state by another name', 'ph2', 'alias/run']
])('a Python in a folder %s is refused', async (_, environment, kept) => {
  const python = environmentIn(join(base, environment));
  if (kept.startsWith('alias')) symlinkSync(join(base, environment), join(base, 'alias'));
  mkdirSync(join(base, kept), { recursive: true });
  const interpreter = await describeInterpreter(python);
  await expect(requireApart(interpreter, ['/etc', join(base, kept)])).rejects.toMatchObject({ code: 'sandbox_leaks' });
  await expect(requireApart(interpreter, ['/etc', join(base, 'elsewhere'), '/'])).resolves.toBeUndefined();
});

test('the environment of a checkout stands beside image and state, and the checkout itself is no environment', async () => {
  const kept = [join(ROOT, 'runner/image'), join(ROOT, '.cloister/run'), join(ROOT, '.cloister/instances/1/scratch')];
  await expect(requireApart(await describeInterpreter(PYTHON), kept)).resolves.toBeUndefined();
  await expect(requireApart({ path: PYTHON, prefix: ROOT, roots: [ROOT] }, kept)).rejects.toMatchObject({ code: 'sandbox_leaks' });
});
