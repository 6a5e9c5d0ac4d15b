import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';

import { buildAgent } from './build-agent.mjs';

const scratch = mkdtempSync(join(tmpdir(), 'cloister-agent-'));
after(() => rmSync(scratch, { recursive: true }));

/** A checkout as small as the builder can do with; `files` are added to it. */
function checkout(name, files = {}) {
  const root = join(scratch, name);
  const all = {
    'agent/src/main.ts': "import { word } from '@cloister/leaf';\nimport old from 'old';\nconsole.log(`${word as string} ${old()}`);\n",
    'node_modules/@cloister/leaf/package.json':
      '{"name":"@cloister/leaf","version":"1.0.0","license":"Apache-2.0","type":"module","sideEffects":false,"exports":{".":{"@cloister/source":"./src/index.ts","default":"./gone.js"}}}',
    'node_modules/@cloister/leaf/src/index.ts': "export { word } from './word.js';\nexport { lock } from './lock.js';\n",
    'node_modules/@cloister/leaf/src/word.ts': "export const word = 'from source';\n",
    'node_modules/@cloister/leaf/src/lock.ts': "import Database from 'better-sqlite3';\nexport const lock = () => new Database();\n",
    'node_modules/better-sqlite3/package.json': '{"name":"better-sqlite3","version":"1.0.0","license":"MIT","main":"index.js"}',
    'node_modules/better-sqlite3/index.js': 'module.exports = class {};\n',
    'node_modules/old/package.json': '{"name":"old","version":"2.0.0","license":"MIT","main":"index.js"}',
    'node_modules/old/LICENSE.md': 'Copyright somebody.\n',
    'node_modules/old/index.js': "const { sep } = require('path');\nmodule.exports = () => sep;\n",
    ...files
  };
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

test('the bundle runs without any package beside it, and brings their licences', async () => {
  const root = checkout('runs');
  await buildAgent({ root });
  rmSync(join(root, 'node_modules'), { recursive: true });
  const { stdout, stderr } = spawnSync(process.execPath, [join(root, 'python/cloister/agent/agent.mjs')], { encoding: 'utf8' });
  assert.equal(stdout, 'from source /\n', stderr);
  const licences = readFileSync(join(root, 'python/cloister/agent/THIRD-PARTY-LICENSES.txt'), 'utf8');
  assert.match(licences, /^@cloister\/leaf 1\.0\.0: Apache-2\.0$/m);
  assert.match(licences, /^old 2\.0\.0: MIT\n\nCopyright somebody\.$/m);
  // It was looked at, and left out again.
  assert.doesNotMatch(licences, /better-sqlite3/);
});

test('a native module in the bundle is refused, and the last bundle stays', async () => {
  const root = checkout('native');
  await buildAgent({ root });
  const before = readFileSync(join(root, 'python/cloister/agent/agent.mjs'), 'utf8');
  writeFileSync(join(root, 'agent/src/main.ts'), "import { lock } from '@cloister/leaf';\nlock();\n");
  await assert.rejects(buildAgent({ root }), /a native module would come along: .*better-sqlite3/);
  assert.equal(readFileSync(join(root, 'python/cloister/agent/agent.mjs'), 'utf8'), before);
  assert.deepEqual(readdirSync(join(root, 'python/cloister')), ['agent']);
});

test('a package without a licence is not handed on', async () => {
  const root = checkout('unlicensed', { 'node_modules/old/package.json': '{"name":"old","version":"2.0.0","main":"index.js"}' });
  rmSync(join(root, 'node_modules/old/LICENSE.md'));
  await assert.rejects(buildAgent({ root }), /old has no licence/);
  assert.equal(existsSync(join(root, 'python/cloister/agent')), false);
});
