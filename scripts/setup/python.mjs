import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { probe, run } from './run.mjs';
import { diskUse, hashFile, readStamp, writeStamp } from './stamps.mjs';

const LOCKS = ['requirements.lock', 'requirements-jupyter.lock', 'requirements-dev.lock'];
const REGISTER = join(dirname(fileURLToPath(import.meta.url)), 'register.py');

/**
 * The environment `.venv`: exactly what the locks name, every file checked against its hash, and this checkout's `cloister`
 * as a package of it. Made anew where a lock, the interpreter or the place of the checkout is another than last time;
 * where only the description of our package is, that is registered anew.
 */
export async function installPython({ root, python, report, signal }) {
  const venv = join(root, '.venv');
  const file = join(venv, '.cloister-setup.json');
  const locks = LOCKS.map(name => join(root, 'python', name));
  const wanted = { python: python.id, root, locks: locks.map(hashFile).join(' ') };
  const stamp = readStamp(file);
  const registration = [join(root, 'python', 'pyproject.toml'), REGISTER].map(hashFile).join(' ');
  const env = cleanEnvironment();
  if (stamp && Object.entries(wanted).every(([key, value]) => stamp[key] === value) && (await starts(venv))) {
    if (stamp.registration !== registration) {
      await register({ root, venv, env, signal });
      writeStamp(file, { ...stamp, registration });
    }
    return { changed: false, detail: 'up to date', sizes: [{ title: 'Python environment', bytes: stamp.bytes }] };
  }
  report(`making .venv with Python ${python.version}`);
  const remedy = 'Run the command again. If it fails again, choose another interpreter: CLOISTER_PYTHON=/path/to/python3.';
  await run(python.path, ['-m', 'venv', '--clear', venv], { cwd: root, env, signal, what: 'Making the Python environment', remedy });
  for (const lock of locks) await installLock({ venv, lock, env, report, signal });
  await register({ root, venv, env, signal });
  const bytes = diskUse(venv);
  writeStamp(file, { ...wanted, registration, bytes });
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

/** `import cloister` works in this environment's kernels, Jupyter finds the extension and the agent, and all of it follows the checkout. */
async function register({ root, venv, env, signal }) {
  await run(join(venv, 'bin', 'python'), ['-I', REGISTER, root], {
    env,
    signal,
    what: 'Registering this checkout in its Python environment',
    remedy: 'npm run reset, then run the command again.'
  });
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
