import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';

import { reset } from './reset.mjs';

let scratch;
let root;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'cloister-reset-'));
  root = join(scratch, 'checkout');
  put(root, 'package.json', '{"workspaces":["cli","runner"]}');
});
afterEach(() => rmSync(scratch, { recursive: true }));

function put(folder, path, text = 'x'.repeat(10_000)) {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), text);
}

test('removes what was generated, says so with sizes, and keeps sources', () => {
  const made = [
    'node_modules/a/index.js',
    '.venv/bin/python',
    'cli/lib/index.js',
    'cli/tsconfig.tsbuildinfo',
    'runner/image/image.json',
    '.cloister/state.db',
    'python/cloister/__pycache__/x.pyc',
    'runner/.image-a1B2c3/new/x',
    'extension/lib/index.js',
    'tsconfig.tsbuildinfo',
    'extension/tsconfig.tsbuildinfo',
    'python/cloister/labextension/static/style.js',
    'python/cloister/agent/agent.mjs',
    'python/cloister/.agent-a1B2c3/new/agent.mjs',
    'dist/cloister-0.1.0-py3-none-any.whl'
  ];
  const kept = [
    'cli/src/index.ts',
    'python/cloister/__init__.py',
    'python/cloister/jupyter/__init__.py',
    'schema/plugin.json',
    'python/lib/index.py',
    'demo/mocks/hospital/measurements.csv',
    '.git/lib/x',
    'docs/image/picture.png'
  ];
  for (const path of [...made, ...kept]) put(root, path);
  const said = [];
  const freed = reset(root, line => said.push(line));
  for (const path of made) assert.equal(existsSync(join(root, path)), false, path);
  for (const path of kept) assert.equal(existsSync(join(root, path)), true, path);
  assert.equal(existsSync(join(root, '.cloister')), false);
  assert.ok(freed >= made.length * 10_000);
  assert.ok(said.some(line => /^removed node_modules \(\d/.test(line)));
  assert.match(said.at(-1), /MB freed$/);
});

test('follows no link out of the checkout', () => {
  put(scratch, 'elsewhere/lib/precious.js');
  put(scratch, 'elsewhere/environment/precious.py');
  put(scratch, 'elsewhere/image/precious.json');
  symlinkSync(join(scratch, 'elsewhere'), join(root, 'cli'));
  symlinkSync(join(scratch, 'elsewhere'), join(root, 'runner'));
  symlinkSync(join(scratch, 'elsewhere/environment'), join(root, '.venv'));
  reset(root, () => {});
  assert.equal(existsSync(join(root, '.venv')), false);
  for (const path of ['lib/precious.js', 'environment/precious.py', 'image/precious.json']) {
    assert.equal(existsSync(join(scratch, 'elsewhere', path)), true, path);
  }
});

test('does not start while a set-up is at work', () => {
  put(root, '.cloister/setup.lock', String(process.pid));
  put(root, 'node_modules/a/index.js');
  assert.throws(() => reset(root, () => {}), /Another set-up/);
  assert.equal(existsSync(join(root, 'node_modules/a/index.js')), true);
});

test('does not start while JupyterLab runs from the checkout', async () => {
  put(root, 'node_modules/a/index.js');
  const env = { ...process.env, JUPYTER_RUNTIME_DIR: join(root, '.cloister/jupyter/runtime') };
  const jupyter = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1000)'], { env, stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    await once(jupyter.stdout, 'data');
    assert.throws(() => reset(root, () => {}), { name: 'SetupError', message: new RegExp(`JupyterLab \\(process ${jupyter.pid}\\)`) });
    assert.equal(existsSync(join(root, 'node_modules/a/index.js')), true);
  } finally {
    jupyter.kill('SIGKILL');
  }
});

test('stops the daemon first, and goes on where that fails', () => {
  put(
    root,
    'cli/lib/main.js',
    "require('fs').writeFileSync('stopped', process.argv.slice(2).join()); console.error('no daemon'); process.exit(1)"
  );
  reset(root, () => {});
  assert.equal(existsSync(join(root, 'stopped')), true);
  assert.equal(existsSync(join(root, 'cli/lib')), false);
});
