import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { spawnSync } from 'node:child_process';

import { buildRunnerImage } from './build-runner-image.mjs';

const scratch = mkdtempSync(join(tmpdir(), 'cloister-image-'));
after(() => rmSync(scratch, { recursive: true }));

/** A checkout as small as the builder can do with. */
function checkout(name) {
  const root = join(scratch, name);
  for (const folder of [
    'runner/src',
    'python/runner/__pycache__',
    'python/runner/kernel',
    'python/cloister/__pycache__',
    'python/cloister/jupyter',
    'python/cloister/agent',
    'node_modules/@cloister/leaf/src',
    'node_modules/old'
  ]) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  const files = {
    'runner/src/main.ts':
      "import { word } from '@cloister/leaf';\nimport old from 'old';\nconst said: string = `${word} ${old()}`;\nconsole.log(said);\n",
    'node_modules/@cloister/leaf/package.json':
      '{"name":"@cloister/leaf","type":"module","exports":{".":{"@cloister/source":"./src/index.ts","default":"./gone.js"}}}',
    'node_modules/@cloister/leaf/src/index.ts': "export const word = 'built from source';\n",
    'node_modules/old/package.json': '{"name":"old","main":"index.js"}',
    'node_modules/old/index.js': "const { sep } = require('path');\nmodule.exports = () => sep;\n",
    'python/runner/drive.py': 'pass\n',
    'python/runner/kernel/start.py': 'pass\n',
    'python/runner/__pycache__/drive.cpython-311.pyc': 'compiled',
    'python/cloister/__init__.py': 'pass\n',
    'python/cloister/py.typed': '',
    'python/cloister/__pycache__/x.pyc': 'compiled',
    'python/cloister/jupyter/start_agent.py': 'pass\n',
    'python/cloister/agent/agent.py': 'pass\n',
    'python/requirements.lock': 'nbclient==0.11.0\n'
  };
  for (const [path, text] of Object.entries(files)) writeFileSync(join(root, path), text);
  return root;
}

const image = root =>
  Object.fromEntries(
    readdirSync(join(root, 'runner/image'), { recursive: true })
      .filter(path => statSync(join(root, 'runner/image', path)).isFile())
      .map(path => [path, readFileSync(join(root, 'runner/image', path), 'utf8')])
  );

test('two checkouts in different folders give the same bytes, without compiled Python, what is for Jupyter, and their paths', async () => {
  const first = checkout('first');
  const second = checkout('deeper/second-checkout');
  utimesSync(join(second, 'python/runner/drive.py'), 1, 1);
  const { changed, files } = await buildRunnerImage({ root: first });
  await buildRunnerImage({ root: second });
  assert.equal(changed, true);
  assert.deepEqual(image(second), image(first));
  assert.deepEqual(files, [
    'driver/drive.py',
    'driver/kernel/start.py',
    'image.json',
    'python/cloister/__init__.py',
    'python/cloister/py.typed',
    'requirements.lock',
    'runner.mjs'
  ]);
  assert.doesNotMatch(image(second)['runner.mjs'], /second-checkout|cloister-image-/);
});

test('the bundle runs, is made from sources, and can hold a CommonJS dependency', async () => {
  const root = checkout('runs');
  await buildRunnerImage({ root });
  rmSync(join(root, 'node_modules'), { recursive: true });
  const { stdout, stderr } = spawnSync(process.execPath, ['runner.mjs'], { cwd: join(root, 'runner/image'), encoding: 'utf8' });
  assert.equal(stdout, 'built from source /\n', stderr);
});

test('image.json is canonical', async () => {
  const root = checkout('canonical');
  await buildRunnerImage({ root });
  assert.equal(
    image(root)['image.json'],
    '{"allowEnvOverride":["CLOISTER_SERVER","CLOISTER_JOB","CLOISTER_ATTEMPT","CLOISTER_GATEWAY","CLOISTER_PYTHON"],"cmdOverride":false,"entrypoint":["node","runner.mjs"],"logRedirect":"never","v":1}'
  );
});

test('an unchanged image is left alone; a changed source replaces it whole', async () => {
  const root = checkout('again');
  await buildRunnerImage({ root });
  const before = statSync(join(root, 'runner/image')).ino;
  assert.equal((await buildRunnerImage({ root })).changed, false);
  assert.equal(statSync(join(root, 'runner/image')).ino, before);
  writeFileSync(join(root, 'runner/image/stranger.py'), 'x');
  rmSync(join(root, 'python/runner/kernel'), { recursive: true });
  assert.equal((await buildRunnerImage({ root })).changed, true);
  assert.equal('stranger.py' in image(root), false);
  assert.equal('driver/kernel/start.py' in image(root), false);
});

test('a source that does not compile leaves the old image and no rest', async () => {
  const root = checkout('broken');
  await buildRunnerImage({ root });
  const before = image(root);
  writeFileSync(join(root, 'runner/src/main.ts'), 'import "@cloister/no-such-package";\n');
  await assert.rejects(buildRunnerImage({ root }), /Could not resolve/);
  assert.deepEqual(image(root), before);
  assert.deepEqual(readdirSync(join(root, 'runner')).sort(), ['image', 'src']);
});

test('a link among the Python sources is refused', async () => {
  const root = checkout('link');
  symlinkSync('/etc/passwd', join(root, 'python/cloister/secret.py'));
  await assert.rejects(buildRunnerImage({ root }), /is a link/);
});
