// Removes everything that set-up, builds and runs have made in this checkout. Sources and what a user put here stay.
import { existsSync, lstatSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { runtimeFolder } from './jupyter/launch.mjs';
import { processesWith } from './jupyter/processes.mjs';
import { megabytes } from './setup/progress.mjs';
import { SetupError } from './setup/setup-error.mjs';
import { diskUse, lockCheckout } from './setup/stamps.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const STOP_MS = 20_000;

/** Paths below `root` that exist and were generated. Links are named themselves; what they lead to is not looked at. */
export function generated(root) {
  const workspaces = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).workspaces;
  const fixed = [
    ...['.venv', 'runner/image', 'extension/lib', 'python/cloister/labextension', 'python/cloister/agent', 'dist', '.cloister'],
    ...['test-results', 'playwright-report', 'ui-tests/node_modules', 'coverage', 'bench/results']
  ];
  const perWorkspace = workspaces.flatMap(name => [`${name}/lib`, `${name}/node_modules`]);
  const found = [...fixed, ...perWorkspace, ...scattered(root, ''), 'node_modules'].map(path => join(root, path));
  return [...new Set(found)].filter(path => insideWithoutLinks(root, path) && lstatSync(path, { throwIfNoEntry: false }));
}

/** *.tsbuildinfo, __pycache__ and unfinished builds, wherever they lie among the sources. */
function scattered(root, folder) {
  const skipped = new Set(['node_modules', '.git', '.venv', '.cloister', 'lib', 'image', 'labextension']);
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap(item => {
    const path = join(folder, item.name);
    if (item.name.endsWith('.tsbuildinfo') || item.name === '__pycache__' || /^\.(?:image|agent)-\w{6}$/.test(item.name)) return [path];
    return item.isDirectory() && !skipped.has(item.name) ? scattered(root, path) : [];
  });
}

/** A folder on the way that is a link would lead the removal out of the checkout. */
function insideWithoutLinks(root, path) {
  for (let folder = dirname(path); folder !== root; folder = dirname(folder)) {
    if (!folder.startsWith(root) || !lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) return false;
  }
  return true;
}

/** JupyterLab would go on over what is gone. It is its user's to end: what she has not saved yet is in it. */
function refuseBelowJupyter(root) {
  const [pid] = processesWith('JUPYTER_RUNTIME_DIR', runtimeFolder(join(root, '.cloister')));
  if (pid === undefined) return;
  throw new SetupError(`JupyterLab (process ${pid}) runs from this checkout.`, 'Press Ctrl-C where you typed npm start, then run npm run reset again.');
}

/** Stop the daemon of this checkout where one runs. It removes nothing, so a failure costs only the warning. */
function stopDaemon(root) {
  const cli = join(root, 'cli', 'lib', 'main.js');
  if (!existsSync(cli) || !existsSync(join(root, '.cloister'))) return;
  const { status, stderr } = spawnSync(process.execPath, [cli, 'stop'], { cwd: root, encoding: 'utf8', timeout: STOP_MS });
  if (status !== 0) process.stderr.write(`The daemon could not be stopped: ${stderr.trim().split('\n').at(-1)}\n`);
}

/** Remove what was generated below `root`; returns the bytes freed. */
export function reset(root, log = line => process.stdout.write(`${line}\n`)) {
  const unlock = lockCheckout(root);
  try {
    refuseBelowJupyter(root);
    stopDaemon(root);
    let freed = 0;
    for (const path of generated(root)) {
      const bytes = diskUse(path);
      rmSync(path, { recursive: true, force: true });
      freed += bytes;
      log(`removed ${relative(root, path)} (${megabytes(bytes)})`);
    }
    log(`${megabytes(freed)} freed`);
    return freed;
  } finally {
    unlock();
  }
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    reset(ROOT);
  } catch (error) {
    if (error.name !== 'SetupError') throw error;
    process.stderr.write(`${error.message}\n  ${error.remedy}\n`);
    process.exitCode = 1;
  }
}
