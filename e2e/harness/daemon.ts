import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { DAEMON } from './checkout.js';
import { signalProcess } from './processes.js';

export interface Daemon {
  readonly pid: number;
  /** In order, as `cloister stop` asks. */
  readonly stop: () => Promise<void>;
  /** As a crash: nothing of it runs any more when this resolves. */
  readonly kill: () => Promise<void>;
}

/** A command that runs the daemon in a place of its own, as `unshare` does; it must become the daemon by exec. */
export type Wrap = readonly string[];

/** Starts the built daemon over a state directory; resolves when it listens. */
export async function startDaemon(home: string, wrap: Wrap = []): Promise<Daemon> {
  const [command, ...args] = [...wrap, process.execPath, DAEMON, '--home', home];
  // No environment of the test's own reaches it, but where to find node and bwrap.
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'] ?? '', HOME: home } });
  const said: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  const exited = once(child, 'exit');
  const listening = once(child.stdout, 'data').then(() => 'listening' as const);
  const first = await Promise.race([listening, exited.then(() => 'ended' as const)]);
  if (first === 'ended' || child.pid === undefined) throw new Error(`the daemon ended: ${said.join('')}`);
  return { pid: child.pid, stop: () => end(child, exited, 'SIGTERM'), kill: () => end(child, exited, 'SIGKILL') };
}

async function end(child: ChildProcess, exited: Promise<unknown>, signal: NodeJS.Signals): Promise<void> {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) signalProcess(child.pid, signal);
  await exited;
}
