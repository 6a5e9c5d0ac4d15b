import { lstatSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { probe, run } from './run.mjs';
import { SetupError } from './setup-error.mjs';
import { diskUse, hashFile, readStamp, writeStamp } from './stamps.mjs';

const LOCKS = ['requirements.lock', 'requirements-dev.lock'];

/**
 * The environment `.venv`: exactly what the locks name, every file checked against its hash, and a link to the `cloister`
 * module of this checkout. Made anew where a lock, the interpreter or the place of the checkout is another than last time.
 */
export async function installPython({ root, python, report, signal }) {
  const venv = join(root, '.venv');
  const file = join(venv, '.cloister-setup.json');
  const locks = LOCKS.map(name => join(root, 'python', name));
  const wanted = { python: python.id, root, locks: locks.map(hashFile).join(' ') };
  const stamp = readStamp(file);
  if (stamp && Object.entries(wanted).every(([key, value]) => stamp[key] === value) && (await starts(venv))) {
    return { changed: false, detail: 'up to date', sizes: [{ title: 'Python environment', bytes: stamp.bytes }] };
  }
  const env = cleanEnvironment();
  report(`making .venv with Python ${python.version}`);
  const remedy = 'Run the command again. If it fails again, choose another interpreter: CLOISTER_PYTHON=/path/to/python3.';
  await run(python.path, ['-m', 'venv', '--clear', venv], { cwd: root, env, signal, what: 'Making the Python environment', remedy });
  for (const lock of locks) await installLock({ venv, lock, env, report, signal });
  await linkModule({ root, venv });
  const bytes = diskUse(venv);
  writeStamp(file, { ...wanted, bytes });
  return { changed: true, detail: `installed from ${LOCKS[0]}`, sizes: [{ title: 'Python environment', bytes }] };
}

async function installLock({ venv, lock, env, report, signal }) {
  const total = readFileSync(lock, 'utf8').match(/^[a-z0-9][^\n]*==/gim)?.length ?? 0;
  let seen = 0;
  report(`installing at most ${total} packages`);
  // Wheels only: a source package would run its own build on this machine.
  const args = ['install', '--require-hashes', '--no-deps', '--only-binary', ':all:', '--progress-bar', 'off', '-r', lock];
  await run(join(venv, 'bin', 'python'), ['-m', 'pip', '--disable-pip-version-check', ...args], {
    env,
    signal,
    onLine: line => {
      if (line.startsWith('Collecting ')) report(`fetching Python packages, ${++seen} so far`);
      if (line.startsWith('Installing collected')) report(`unpacking ${seen} Python packages`);
    },
    what: 'Installing the Python packages',
    remedy:
      'Check that the Python package index can be reached, and run the command again. Where a wheel is missing for your\nPython, choose another interpreter (3.10 to 3.14): CLOISTER_PYTHON=/path/to/python3.'
  });
}

/** `import cloister` works in this environment's kernels, and follows what is edited in the checkout. */
async function linkModule({ root, venv }) {
  const { ok, stdout } = await probe(join(venv, 'bin', 'python'), ['-c', 'import sysconfig; print(sysconfig.get_paths()["purelib"])']);
  if (!ok)
    throw new SetupError('The new Python environment does not start.', 'Choose another interpreter: CLOISTER_PYTHON=/path/to/python3.');
  const link = join(stdout, 'cloister');
  if (lstatSync(link, { throwIfNoEntry: false })) rmSync(link, { recursive: true });
  symlinkSync(join(root, 'python', 'cloister'), link);
}

/** A venv breaks when the interpreter behind it is upgraded or removed. */
async function starts(venv) {
  return (await probe(join(venv, 'bin', 'python'), ['-c', 'import ssl'])).ok;
}

/** Settings for another Python must not reach this one; those for an index, a proxy or certificates must. */
function cleanEnvironment() {
  const env = { ...process.env, PIP_USER: '0', PIP_REQUIRE_VIRTUALENV: '1' };
  for (const name of ['PYTHONPATH', 'PYTHONHOME', 'PIP_TARGET', 'PIP_PREFIX', '__PYVENV_LAUNCHER__']) delete env[name];
  return env;
}
