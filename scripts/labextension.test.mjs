// What JupyterLab's start costs because of us, in bytes, and what never comes into the browser.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const STATIC = join(dirname(dirname(fileURLToPath(import.meta.url))), 'python/cloister/labextension/static');
const KB = 1000;
const START_LIMIT = 60 * KB;
const VERIFICATION_LIMIT = 140 * KB;

const files = readdirSync(STATIC).filter(name => name.endsWith('.js') && name !== 'style.js');
const remoteEntry = files.find(name => name.startsWith('remoteEntry.'));
const gzipped = name => gzipSync(readFileSync(join(STATIC, name)), { level: 9 }).length;
const chunkOf = id => files.find(name => name.startsWith(`${id}.`));

/** Chunks that JupyterLab fetches before our plugins are there: those of the exposed modules, and the container itself. */
function startChunks() {
  const container = readFileSync(join(STATIC, remoteEntry), 'utf8');
  const exposed = [...container.matchAll(/"\.\/(?:extension|style)":\(\)=>(.*?)\.then\(\(\)=>\(\)=>/g)].map(found => found[1]);
  assert.equal(exposed.length, 2, 'the container no longer names what it exposes in the form that this test reads');
  const ids = exposed.flatMap(text => [...text.matchAll(/\.e\("?([\w-]+)"?\)/g)].map(found => found[1]));
  return [remoteEntry, ...new Set(ids.map(chunkOf))];
}

test(`what is loaded at the start is at most ${START_LIMIT / KB} kB, gzipped`, t => {
  const start = startChunks();
  const size = start.reduce((sum, name) => sum + gzipped(name), 0);
  t.diagnostic(`${(size / KB).toFixed(1)} kB in ${start.length} files`);
  assert.ok(size <= START_LIMIT, `${size} bytes: ${start.map(name => `${name} ${gzipped(name)}`).join(', ')}`);
});

test('the code that verifies comes with the viewer, not with the start', t => {
  // Words of two checks and of the JOSE library's errors: who has them has the verification.
  const verifies = name => ['signature verification failed', 'canonical base64url'].some(text => readFileSync(join(STATIC, name), 'utf8').includes(text));
  const late = files.filter(verifies);
  assert.ok(late.length > 0, 'no file holds the verification');
  for (const name of startChunks()) assert.ok(!late.includes(name), `${name} is loaded at the start and holds the verification`);
  const others = files.filter(name => !startChunks().includes(name));
  const size = others.reduce((sum, name) => sum + gzipped(name), 0);
  t.diagnostic(`${(size / KB).toFixed(1)} kB in ${others.length} files`);
  assert.ok(size <= VERIFICATION_LIMIT, `${size} bytes load late`);
});

test('no sealing and no policy language in the browser', () => {
  const { packages } = JSON.parse(readFileSync(join(STATIC, 'third-party-licenses.json'), 'utf8'));
  const names = packages.map(({ name }) => name);
  assert.ok(names.includes('jose'), 'the list of licences does not name what is there');
  for (const absent of ['age-encryption', '@bufbuild/cel', '@noble/ciphers', '@noble/post-quantum', 'express', 'ws']) assert.ok(!names.includes(absent), absent);
});
