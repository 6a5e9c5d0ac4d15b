import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { createProgress } from './progress.mjs';
import { run } from './run.mjs';
import { lockCheckout, readStamp, writeStamp } from './stamps.mjs';

const node = (code, options) => run(process.execPath, ['-e', code], { what: 'The thing', remedy: 'Do this.', ...options });

test('a program that fails gives its last lines and the remedy', async () => {
  await assert.rejects(node('console.log("why it failed"); process.exit(3)'), error => {
    assert.equal(error.message, 'The thing failed (exit code 3).');
    assert.match(error.remedy, /why it failed[^]*Do this\.$/);
    return true;
  });
});

test('a program that is not there is a failure with a remedy', async () => {
  await assert.rejects(run('/no/such/program', [], { what: 'The thing', remedy: 'Do this.' }), { name: 'SetupError', remedy: 'Do this.' });
});

test('a program that is told to stop has ended when the refusal arrives', async () => {
  const stop = new AbortController();
  let pid;
  const running = node('console.log(process.pid); setInterval(() => {}, 1000)', {
    signal: stop.signal,
    onLine: line => {
      pid = Number(line);
      stop.abort();
    }
  });
  await assert.rejects(running, { name: 'AbortError' });
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
});

test('lines are passed on whole', async () => {
  const lines = [];
  await node('process.stdout.write("a"); setImmediate(() => process.stdout.write("b\\nc"))', { onLine: line => lines.push(line) });
  assert.deepEqual(lines, ['ab', 'c']);
});

test('one set-up at a time; a lock left by a dead one is taken over', () => {
  const root = mkdtempSync(join(tmpdir(), 'cloister-lock-'));
  try {
    const unlock = lockCheckout(root);
    assert.throws(() => lockCheckout(root), /Another set-up/);
    unlock();
    writeFileSync(join(root, '.cloister/setup.lock'), '999999999');
    lockCheckout(root)();
    assert.equal(existsSync(join(root, '.cloister/setup.lock')), false);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('a stamp that is cut short counts as none', () => {
  const root = mkdtempSync(join(tmpdir(), 'cloister-stamp-'));
  try {
    mkdirSync(join(root, 'x'));
    const file = join(root, 'x/stamp.json');
    assert.equal(readStamp(file), null);
    writeStamp(file, { lock: 'a' });
    assert.deepEqual(readStamp(file), { lock: 'a' });
    writeFileSync(file, '{"lock"');
    assert.equal(readStamp(file), null);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('quiet progress says nothing about what was ready', async () => {
  const said = [];
  let clock = 0;
  const progress = createProgress({ quiet: true, write: text => said.push(text), now: () => (clock += 500) });
  await progress.step('npm packages', async () => ({
    changed: false,
    detail: 'up to date',
    sizes: [{ title: 'npm packages', bytes: 2e6 }]
  }));
  progress.summary();
  assert.deepEqual(said, []);
  await progress.step('build', async report => {
    report('npm run build');
    return { changed: true, detail: 'built' };
  });
  progress.summary();
  assert.match(said.join(''), /\.\.\.\s+build\s+npm run build\n\s+ok\s+build\s+built, 0\.5 s\nReady in .*npm packages 2 MB/);
});
