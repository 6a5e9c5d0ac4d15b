import { chmod, mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { LocalBackend, type LocalBackendOptions } from './local-backend.js';

/**
 * A workload for tests: TEST_MODE says what it does, and it tells what it sees on its standard output, which lands in
 * the instance's workload.log.
 */
const WORKLOAD = `
import { spawn } from 'node:child_process';
import { request } from 'node:http';
import { appendFileSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
const { TEST_MODE, CLOISTER_TEE_SOCKET: socketPath, CLOISTER_SCRATCH } = process.env;
writeFileSync(CLOISTER_SCRATCH + '/plain', 'decrypted');
const stay = () => setInterval(() => undefined, 1000);
// Deeper than any path may be long: the kernel takes it step by step, and refuses the whole.
const nest = () => {
  process.chdir(CLOISTER_SCRATCH);
  for (let depth = 0; depth < 30; depth += 1) {
    mkdirSync('notebook-chosen-'.padEnd(200, 'd'));
    process.chdir('notebook-chosen-'.padEnd(200, 'd'));
  }
  writeFileSync('stolen.csv', 'decrypted');
};
// Like a sandbox that outlives its runner: own session, group and pid namespace, no environment, and nothing that ties
// its life to its parent's. It writes to the scratch directory for as long as it lives.
const escape = async () => {
  const writes = 'while :; do mkdir -p "$0" && echo decrypted > "$0/again"; sleep 0.02; done';
  const outer = spawn('unshare', ['--user', '--map-root-user', '--pid', '--fork', 'sh', '-c', writes, CLOISTER_SCRATCH], { detached: true, stdio: 'ignore', env: { PATH: '/usr/bin:/bin' } });
  outer.unref();
  const inode = path => { try { return statSync(path).ino; } catch { return undefined; } };
  const own = inode('/proc/self/ns/pid');
  let made;
  while ((made = inode('/proc/' + outer.pid + '/ns/pid_for_children')) === undefined || made === own) await pause(10);
  appendFileSync(CLOISTER_SCRATCH + '.sandboxes', made + '\\n', { mode: 0o600 });
};
const modes = {
  ends: () => process.exit(3),
  stays: stay,
  stubborn: () => { process.on('SIGTERM', () => undefined); stay(); },
  forks: () => {
    spawn('setsid', ['sh', '-c', 'while :; do sleep 0.2; done'], { detached: true, stdio: 'ignore' }).unref();
    setTimeout(() => process.exit(0), 200);
  },
  nests: () => { nest(); process.exit(0); },
  nests_and_stays: () => { nest(); stay(); },
  escapes: async () => { await escape(); process.exit(0); },
  escapes_and_stays: async () => { await escape(); stay(); },
  floods: () => { process.stdout.write('x'.repeat(3 << 20), () => process.exit(0)); },
  tells: () => { console.log(JSON.stringify({ env: process.env, cwd: process.cwd(), args: process.argv.slice(1) })); },
  attests: () => request({ socketPath, path: '/v1/token', method: 'POST' }, response => response.pipe(process.stdout))
    .end(JSON.stringify({ audience: 'urn:cloister:release', token_type: 'PKI', nonces: ['a-nonce-of-the-workload'] }))
};
modes[TEST_MODE]();
`;

const LABELS = { v: 1, entrypoint: ['node', 'runner.mjs'], allowEnvOverride: ['TEST_MODE', 'CLOISTER_SERVER'], cmdOverride: false, logRedirect: 'never' };

/** Bundles a module of this folder into one file that node runs; the tests' stand-in for the built output. */
export async function bundle(source: string, outfile: string): Promise<string> {
  await build({
    stdin: { contents: source, resolveDir: fileURLToPath(new URL('.', import.meta.url)), loader: 'ts' },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // The entry is nothing but side effects, which package.json says the package has none of.
    ignoreAnnotations: true,
    conditions: ['@cloister/source'],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'error'
  });
  return outfile;
}

export interface LocalPlace {
  readonly root: string;
  readonly options: LocalBackendOptions;
  readonly backend: LocalBackend;
  dispose(): Promise<void>;
}

/** A local backend in a directory of its own, with a small image; keys are shared by all tests of a file. */
export async function makePlace(launcherEntry: string, keysDir: string): Promise<LocalPlace> {
  const root = await mkdtemp(join(tmpdir(), 'clo-'));
  const imageDir = join(root, 'image');
  await writeImage(imageDir);
  const options = {
    stateDir: join(root, 'instances'),
    keysDir,
    imageDir,
    socketRoot: join(root, 's'),
    launcherEntry,
    extraEnv: { PATH: '/usr/local/bin:/usr/bin:/bin' },
    killGraceMs: 500
  };
  const backend = new LocalBackend(options);
  return {
    root,
    options,
    backend,
    dispose: async () => {
      for (const { name } of await backend.list()) await backend.delete(name);
      await rm(root, { recursive: true, force: true });
    }
  };
}

export async function writeImage(imageDir: string, labels: object = LABELS): Promise<void> {
  await mkdir(join(imageDir, 'lock'), { recursive: true });
  await writeFile(join(imageDir, 'image.json'), JSON.stringify(labels));
  await writeFile(join(imageDir, 'runner.mjs'), WORKLOAD);
  await writeFile(join(imageDir, 'lock', 'requirements.txt'), 'nbclient==0.11\n');
  await chmod(imageDir, 0o755);
}
