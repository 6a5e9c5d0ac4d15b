import { basename, join } from 'node:path';

import { run } from './run.mjs';
import { diskUse, hashFile, readStamp, writeStamp } from './stamps.mjs';

/** `npm ci`, where the lock file, the workspaces or the Node version (native modules) are not those of the last time. */
export async function installNpm({ root, report, signal }) {
  const file = join(root, 'node_modules', '.cloister-setup.json');
  const wanted = { lock: hashFile(join(root, 'package-lock.json')), modules: process.versions.modules, arch: process.arch };
  const stamp = readStamp(file);
  if (stamp && Object.entries(wanted).every(([key, value]) => stamp[key] === value)) {
    return { changed: false, detail: 'up to date', sizes: [{ title: 'npm packages', bytes: stamp.bytes }] };
  }
  report('npm ci, which may compile one native module');
  const [command, ...args] = npmCommand();
  await run(command, [...args, 'ci', '--include=dev', '--no-audit', '--no-fund', '--prefer-offline'], {
    cwd: root,
    env: process.env,
    signal,
    what: 'npm ci',
    remedy:
      'Check that the npm registry can be reached, and run the command again. Where the lines above speak of node-gyp,\na compiler is missing: on Debian and Ubuntu, apt install build-essential python3.'
  });
  const bytes = diskUse(join(root, 'node_modules'));
  writeStamp(file, { ...wanted, bytes });
  return { changed: true, detail: 'installed from package-lock.json', sizes: [{ title: 'npm packages', bytes }] };
}

/** The npm that runs us, where npm does: it may not be the one on the PATH. */
export function npmCommand(env = process.env) {
  const cli = env.npm_execpath;
  return cli && basename(cli) === 'npm-cli.js' ? [process.execPath, cli] : ['npm'];
}
