// `npm run wheel`: sets up and builds what is missing, then the wheel, in dist/: `pip install dist/cloister-*.whl` gives
// JupyterLab and Notebook the extension, and the agent beside it. `--built` takes what is built already.
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { run } from './setup/run.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Packs the built parts of the checkout `root` into a wheel in `out`. Resolves to its path. */
export async function buildWheel({ root = ROOT, out = join(root, 'dist') } = {}) {
  mkdirSync(out, { recursive: true });
  for (const name of wheelsIn(out)) rmSync(join(out, name));
  await run(join(root, '.venv/bin/python'), ['-I', '-m', 'hatchling', 'build', '-t', 'wheel', '-d', out], {
    cwd: join(root, 'python'),
    what: 'Packing the wheel',
    remedy: 'Run npm run build first: the agent and the labextension are packed as they were built last.'
  });
  const [name] = wheelsIn(out);
  const file = join(out, name);
  await checkWheel(root, file);
  return file;
}

const wheelsIn = folder => readdirSync(folder).filter(name => /^cloister-.*\.whl$/.test(name));

/** What a wheel without cannot work, and what has no place in one. */
const NEEDED = [/^cloister\/agent\/agent\.mjs$/, /^cloister\/agent\/THIRD-PARTY-LICENSES\.txt$/, /^cloister\/jupyter\/start_agent\.py$/, /\.dist-info\/entry_points\.txt$/, /\.dist-info\/licenses\/LICENSE$/]
  .concat(['package.json', 'install.json', 'static/remoteEntry\\.[0-9a-f]+\\.js'].map(name => new RegExp(`\\.data/data/share/jupyter/labextensions/cloister/${name}$`)));
const STRANGE = /__pycache__|\.map$|^cloister\/labextension\/|^tests\/|^runner\//;

async function checkWheel(root, file) {
  const names = [];
  await run(join(root, '.venv/bin/python'), ['-I', '-m', 'zipfile', '-l', file], {
    onLine: line => names.push(line.replace(/\s+\d{4}-\d\d-\d\d .*$/, '')),
    what: 'Reading the wheel',
    remedy: 'Run the command again.'
  });
  const missing = NEEDED.filter(pattern => !names.some(name => pattern.test(name)));
  const strange = names.filter(name => STRANGE.test(name));
  if (missing.length > 0) throw new Error(`the wheel lacks ${missing.join(', ')}: run npm run build first`);
  if (strange.length > 0) throw new Error(`the wheel holds what it should not: ${strange.join(', ')}`);
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    if (!process.argv.includes('--built')) {
      const { setUp } = await import('./setup.mjs');
      await setUp({ quiet: true });
    }
    process.stdout.write(`${await buildWheel()}\n`);
  } catch (error) {
    process.stderr.write(`The wheel was not built. ${error.message}\n${error.remedy ?? ''}\n`);
    process.exitCode = 1;
  }
}
