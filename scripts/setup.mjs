// Makes a fresh clone ready: checks the host, then npm packages and the Python environment (at the same time), then the
// build. Every step is stamped, so a second run takes about a second. Node built-ins only: this runs before `npm ci`.
import { realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Set up this checkout. Returns what later steps need; throws a SetupError (`message`, `remedy`) where a person has to act.
 *
 * `quiet` prints nothing about what was ready already.
 */
export async function setUp({ quiet = false, root = ROOT } = {}) {
  // Loaded late: they use syntax that a Node too old would choke on before it could be told so.
  const { checkDisk, checkHost } = await import('./setup/checks.mjs');
  const { createProgress } = await import('./setup/progress.mjs');
  const { installNpm } = await import('./setup/npm.mjs');
  const { installPython } = await import('./setup/python.mjs');
  const { build } = await import('./setup/build.mjs');
  const { lockCheckout } = await import('./setup/stamps.mjs');

  const progress = createProgress({ quiet });
  const host = await progress.step('host', () => checkHost());
  const unlock = lockCheckout(root);
  try {
    checkDisk(root);
    const stop = new AbortController();
    const together = [
      progress.step('npm packages', report => installNpm({ root, report, signal: stop.signal })),
      progress.step('Python packages', report => installPython({ root, python: host.python, report, signal: stop.signal }))
    ];
    await allOrStop(together, stop);
    await progress.step('build', report => build({ root, report }));
    // The demo's keys and its sealed data are made by the embedded daemon: scripts/demo.mjs asks for them after this.
  } finally {
    unlock();
  }
  progress.summary();
  return { root, python: resolve(root, '.venv/bin/python'), changed: progress.changed() };
}

/** Wait for all; where one fails the others are told to stop, and are waited for, so that nothing writes on after us. */
async function allOrStop(steps, stop) {
  for (const step of steps) step.catch(() => stop.abort());
  const results = await Promise.allSettled(steps);
  const reasons = results.filter(result => result.status === 'rejected').map(result => result.reason);
  const first = reasons.find(reason => reason.name !== 'AbortError') ?? reasons[0];
  if (first) throw first;
}

async function main() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    fail(`Node ${process.versions.node} is too old.`, 'Install Node 20.19 or newer: https://nodejs.org, or by nvm: nvm install 22');
    return;
  }
  try {
    await setUp({ quiet: process.argv.includes('--quiet') });
  } catch (error) {
    if (error.name !== 'SetupError') throw error;
    fail(error.message, error.remedy);
  }
}

function fail(message, remedy) {
  process.stderr.write(`\n${message}\n\n${remedy.replace(/^/gm, '  ')}\n`);
  process.exitCode = 1;
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await main();
