import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { buildReportPageParts } from './build-report-page.mjs';

const folder = mkdtempSync(join(tmpdir(), 'report-page-'));
after(() => rmSync(folder, { recursive: true }));

const out = join(folder, 'bundle');
let built;
before(async () => {
  built = await buildReportPageParts({ out });
});
const read = name => readFileSync(join(out, name), 'utf8');

test('is one script and one style that weigh little, and stands alone', () => {
  assert.deepEqual(readdirSync(out).sort(), ['licences.txt', 'page.css', 'page.js']);
  assert.ok(built.gzipped < 120_000, `${built.gzipped} bytes`);
  // Not doesNotMatch, which would print the whole script.
  assert.ok(!/\brequire\(|\bimport\(|\bimport\.meta\b/.test(read('page.js')));
});

test('brings the licence of every package in it', () => {
  assert.ok(built.packages >= 5);
  const licences = read('licences.txt').split(/^-{78}$/m);
  assert.equal(licences.length, built.packages);
  for (const text of licences) assert.match(text, /MIT|0BSD|BSD-3-Clause|Apache-2\.0|ISC/);
});

test('is built anew in one step, and the same again', async () => {
  const first = read('page.js');
  writeFileSync(join(out, 'stale'), '');
  await buildReportPageParts({ out });
  assert.equal(read('page.js'), first);
  assert.deepEqual(readdirSync(out).sort(), ['licences.txt', 'page.css', 'page.js']);
  assert.deepEqual(readdirSync(folder), ['bundle']);
});

const REFUSED = [
  ['fetches', 'fetch("https://example.org/")', ''],
  ['makes markup of text', 'document.body.innerHTML = location.hash', ''],
  ['makes a program of text', 'window.eval("1")', ''],
  ['would load an image', 'console.log(1)', 'body{background:url(data:image/png;base64,AAAA)}']
];
for (const [what, script, style] of REFUSED) {
  test(`refuses a page that ${what}, and leaves the one that was built`, async () => {
    const root = mkdtempSync(join(folder, 'root-'));
    mkdirSync(join(root, 'report-page/src/page'), { recursive: true });
    writeFileSync(join(root, 'report-page/src/page/main.ts'), script);
    writeFileSync(join(root, 'report-page/src/page/page.css'), style);
    const before_ = read('page.js');
    await assert.rejects(buildReportPageParts({ root, out }));
    assert.equal(read('page.js'), before_);
    rmSync(root, { recursive: true });
  });
}
