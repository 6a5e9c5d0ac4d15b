// Builds python/cloister/labextension/ from the compiled extension: what JupyterLab loads into the browser. Where nothing
// that goes into it changed, the last build is kept, since the bundler takes longer than all else.
import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, lstatSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { readStamp, writeStamp } from './setup/stamps.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const BUILDER = 'node_modules/@jupyter/builder/lib/build-labextension.js';
const CORE = 'node_modules/@jupyterlab/core-meta/core.package.json';

/** What the bundle is made of. By content: compiling anew gives the same text at another time. */
const INPUTS = ['extension/lib', 'protocol/lib', 'schema', 'style', 'package.json', 'package-lock.json', 'python/install.json'];

/** Build the labextension of the checkout `root`, in production mode. Resolves to `{ changed }`. */
export async function buildLabextension({ root = ROOT } = {}) {
  const out = join(root, 'python/cloister/labextension');
  const file = join(root, 'node_modules/.cloister-labextension.json');
  const inputs = hashInputs(root);
  const before = readStamp(file);
  if (before?.inputs === inputs && before.output === hashOutput(out)) return { changed: false };
  await runBuilder(root);
  // It tells JupyterLab's extension list who installed this. Copied, so that a checkout and a wheel hold the same files.
  copyFileSync(join(root, 'python/install.json'), join(out, 'install.json'));
  writeStamp(file, { inputs, output: hashOutput(out) });
  return { changed: true };
}

function runBuilder(root) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [BUILDER, '--core-package-file', CORE, '.'], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', text => (said += text));
    child.on('error', reject);
    // The builder may report errors and end well.
    child.on('close', code => (code === 0 && !/^ERROR in /m.test(said) ? resolve() : reject(new Error(said.trim().slice(-4000)))));
  });
}

function hashInputs(root) {
  const hash = createHash('sha256');
  for (const path of INPUTS) hashTree(root, path, hash);
  return hash.digest('hex');
}

/** A build that somebody removed or changed, such as one in development mode, does not count as done. */
function hashOutput(out) {
  const hash = createHash('sha256');
  hashTree(dirname(out), 'labextension', hash);
  return hash.digest('hex');
}

function hashTree(root, path, hash) {
  const stat = lstatSync(join(root, path), { throwIfNoEntry: false });
  if (stat?.isDirectory()) {
    for (const name of readdirSync(join(root, path)).sort()) hashTree(root, `${path}/${name}`, hash);
  } else if (!/\.(?:map|tsbuildinfo)$|\.d\.ts$/.test(path)) {
    hash.update(`${path}\0${stat === undefined ? 'absent' : readFileSync(join(root, path)).toString('base64')}\n`);
  }
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    if (!existsSync(join(ROOT, 'extension/lib/index.js'))) throw new Error('extension/lib is missing: compile first, npx tsc -b extension.');
    const { changed } = await buildLabextension();
    process.stdout.write(`labextension: ${changed ? 'built' : 'unchanged'}\n`);
  } catch (error) {
    process.stderr.write(`The labextension was not built:\n${error.message}\n`);
    process.exitCode = 1;
  }
}
