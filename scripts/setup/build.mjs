import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { npmCommand } from './npm.mjs';
import { run } from './run.mjs';
import { diskUse, readStamp, writeStamp } from './stamps.mjs';

const GENERATED = new Set(['lib', 'image', 'node_modules', '__pycache__']);
/** In the Python package, what the browser loads and what Jupyter starts. */
const PACKAGED = ['python/cloister/labextension', 'python/cloister/agent'];

/** `npm run build`, where a source is newer than the last build, or a result of it is gone. */
export async function build({ root, report }) {
  const file = join(root, 'node_modules', '.cloister-build.json');
  const workspaces = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).workspaces;
  // Taken before the build: what is edited while it runs is built the next time.
  const sources = sourcesStamp(root, workspaces);
  const files = ['runner/image/image.json', 'python/cloister/labextension/package.json', 'python/cloister/agent/agent.mjs'];
  const folders = [...workspaces, 'extension'].map(name => `${name}/lib`);
  const results = [...folders, ...files].map(path => join(root, path));
  const stamp = readStamp(file);
  const sizes = () => [
    { title: 'builds', bytes: [...folders, 'runner/image', ...PACKAGED].reduce((sum, path) => sum + diskUse(join(root, path)), 0) }
  ];
  if (stamp?.sources === sources && results.every(existsSync)) return { changed: false, detail: 'up to date', sizes: sizes() };
  report('npm run build');
  const [command, ...args] = npmCommand();
  await run(command, [...args, 'run', 'build'], {
    cwd: root,
    env: process.env,
    what: 'The build',
    remedy: 'The lines above name the file and the line. If you did not edit it: npm run reset, then run the command again.'
  });
  writeStamp(file, { sources });
  return { changed: true, detail: 'built', sizes: sizes() };
}

/** A hash over name, size and time of change of every file that the build reads. */
function sourcesStamp(root, workspaces) {
  const hash = createHash('sha256');
  const scripts = ['build-runner-image', 'build-agent', 'build-labextension', 'licences'].map(name => `scripts/${name}.mjs`);
  const places = [...workspaces, 'extension', 'schema', 'style', 'python', ...scripts, 'package.json', 'tsconfig.json', 'tsconfig.base.json'];
  for (const place of places) hashTree(root, place, hash);
  return hash.digest('hex');
}

function hashTree(root, path, hash) {
  const stat = lstatSync(join(root, path), { throwIfNoEntry: false });
  if (stat?.isDirectory()) {
    for (const name of readdirSync(join(root, path)).sort()) {
      const made = GENERATED.has(name) || name.endsWith('.tsbuildinfo') || PACKAGED.includes(`${path}/${name}`);
      if (!made) hashTree(root, `${path}/${name}`, hash);
    }
  } else {
    hash.update(`${path}\0${stat?.size}\0${stat?.mtimeMs}\n`);
  }
}
