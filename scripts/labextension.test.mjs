// What JupyterLab's start costs because of us, in bytes, and what never comes into the browser.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const STATIC = join(dirname(dirname(fileURLToPath(import.meta.url))), 'python/cloister/labextension/static');
const KB = 1000;
const ENTRY_LIMIT = 60 * KB;
const START_LIMIT = 70 * KB;
const LATE_LIMIT = 80 * KB;

const files = readdirSync(STATIC).filter(name => name.endsWith('.js') && name !== 'style.js');
const remoteEntry = files.find(name => name.startsWith('remoteEntry.'));
const gzipped = name => gzipSync(readFileSync(join(STATIC, name)), { level: 9 }).length;
const chunkOf = id => files.find(name => name.startsWith(`${id}.`));

/** Chunks that JupyterLab fetches before our plugins are there: those of one exposed module, `extension` or `style`. */
function chunksOf(module) {
  const container = readFileSync(join(STATIC, remoteEntry), 'utf8');
  const [, loads] = new RegExp(`"\\./${module}":\\(\\)=>(.*?)\\.then\\(\\(\\)=>\\(\\)=>`).exec(container) ?? [];
  assert.ok(loads, 'the container no longer names what it exposes in the form that this test reads');
  return [...loads.matchAll(/\.e\("?([\w-]+)"?\)/g)].map(found => chunkOf(found[1]));
}

const startChunks = () => [remoteEntry, ...new Set([...chunksOf('extension'), ...chunksOf('style')])];
const sizeOf = names => names.reduce((sum, name) => sum + gzipped(name), 0);
const list = names => names.map(name => `${name} ${gzipped(name)}`).join(', ');

test(`the plugins' own code is at most ${ENTRY_LIMIT / KB} kB, gzipped; with styles and the container ${START_LIMIT / KB} kB`, t => {
  const entry = chunksOf('extension');
  t.diagnostic(`${(sizeOf(entry) / KB).toFixed(1)} kB in ${entry.length} files, ${(sizeOf(startChunks()) / KB).toFixed(1)} kB in all`);
  assert.ok(sizeOf(entry) <= ENTRY_LIMIT, list(entry));
  assert.ok(sizeOf(startChunks()) <= START_LIMIT, list(startChunks()));
});

test('the code that verifies comes with the viewer, not with the start', t => {
  // Words of two checks and of the JOSE library's errors: who has them has the verification.
  const verifies = name => ['signature verification failed', 'canonical base64url'].some(text => readFileSync(join(STATIC, name), 'utf8').includes(text));
  const late = files.filter(verifies);
  assert.ok(late.length > 0, 'no file holds the verification');
  for (const name of startChunks()) assert.ok(!late.includes(name), `${name} is loaded at the start and holds the verification`);
  const others = files.filter(name => !startChunks().includes(name));
  const size = sizeOf(others);
  t.diagnostic(`${(size / KB).toFixed(1)} kB in ${others.length} files`);
  assert.ok(size <= LATE_LIMIT, `${size} bytes load late`);
});

test('no sealing and no policy language in the browser', () => {
  const { packages } = JSON.parse(readFileSync(join(STATIC, 'third-party-licenses.json'), 'utf8'));
  const names = packages.map(({ name }) => name);
  assert.ok(names.includes('jose'), 'the list of licences does not name what is there');
  for (const absent of ['age-encryption', '@bufbuild/cel', '@noble/ciphers', '@noble/post-quantum', 'express', 'ws']) assert.ok(!names.includes(absent), absent);
});
