import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { npmCommand } from './npm.mjs';
import { run } from './run.mjs';
import { diskUse, readStamp, writeStamp } from './stamps.mjs';

const GENERATED = new Set(['lib', 'image', 'node_modules', '__pycache__']);

/** `npm run build`, where a source is newer than the last build, or a result of it is gone. */
export async function build({ root, report }) {
  const file = join(root, 'node_modules', '.cloister-build.json');
  const workspaces = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).workspaces;
  // Taken before the build: what is edited while it runs is built the next time.
  const sources = sourcesStamp(root, workspaces);
  const results = [...workspaces.map(name => join(root, name, 'lib')), join(root, 'runner', 'image', 'image.json')];
  const stamp = readStamp(file);
  const sizes = () => [
    {
      title: 'builds',
      bytes: diskUse(join(root, 'runner', 'image')) + workspaces.reduce((sum, name) => sum + diskUse(join(root, name, 'lib')), 0)
    }
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
  const places = [...workspaces, 'python', 'scripts/build-runner-image.mjs', 'package.json', 'tsconfig.json', 'tsconfig.base.json'];
  for (const place of places) hashTree(root, place, hash);
  return hash.digest('hex');
}

function hashTree(root, path, hash) {
  const stat = lstatSync(join(root, path), { throwIfNoEntry: false });
  if (stat?.isDirectory()) {
    for (const name of readdirSync(join(root, path)).sort()) {
      if (!GENERATED.has(name) && !name.endsWith('.tsbuildinfo')) hashTree(root, `${path}/${name}`, hash);
    }
  } else {
    hash.update(`${path}\0${stat?.size}\0${stat?.mtimeMs}\n`);
  }
}
