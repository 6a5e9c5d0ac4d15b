import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export interface CliRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What is piped in; without it there is no input at all. */
  readonly input?: string;
  /** Nobody reads stdout: its end is closed before the first line, as `| true` does it. */
  readonly unread?: true;
}

export interface BuiltCli {
  /** Runs the command as a process of its own, without a terminal. */
  readonly run: (args: readonly string[], options?: RunOptions) => Promise<CliRun>;
  readonly remove: () => Promise<void>;
}

/** The command line of these very sources, as one file. Libraries stay where they are installed. */
export async function buildCli(): Promise<BuiltCli> {
  // Within the package, so that Node finds its libraries.
  const folder = await mkdtemp(fileURLToPath(new URL('../../node_modules/.cli-test-', import.meta.url)));
  const outfile = join(folder, 'main.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('../main.ts', import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['@cloister/source'],
    logLevel: 'error',
    plugins: [{ name: 'libraries', setup: bundling => bundling.onResolve({ filter: /^[^./]/ }, ({ path }) => (path.startsWith('@cloister/') ? undefined : { path, external: true })) }]
  });
  return {
    run: async (args, { cwd = folder, env = {}, input, unread } = {}) => {
      const child = spawn(process.execPath, [outfile, ...args], { cwd, env: { PATH: '/usr/bin:/bin', ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
      // A command that asks for no input ends without reading it.
      child.stdin.on('error', () => undefined);
      child.stdin.end(input ?? '');
      if (unread === true) child.stdout.destroy();
      const code = new Promise<number>(resolve => child.once('close', ended => resolve(ended ?? -1)));
      const [stdout, stderr] = await Promise.all([unread === true ? '' : text(child.stdout), text(child.stderr)]);
      return { code: await code, stdout, stderr };
    },
    remove: async () => rm(folder, { recursive: true })
  };
}
