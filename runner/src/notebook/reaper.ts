/**
 * Ends every process of a sandbox, and looks again until none is left. A process is known by its pid namespace, which it
 * cannot leave or hide, and one that bubblewrap had not yet put there by a mark in the environment that bubblewrap was
 * started with. The first catches daemons of a cell; the second a sandbox that died while it was being made.
 */
import { readFile, readdir, readlink } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

import { AppError } from '@cloister/protocol';

/** Name of the environment variable that marks bubblewrap’s own processes of one sandbox. */
export const RUN_MARK = 'CLOISTER_RUN';

/** By what the processes of one sandbox are known. */
export interface Trace {
  readonly mark: string;
  /** As /proc/PID/ns/pid reads: `pid:[4026532181]`. Empty until bubblewrap has said. */
  readonly pidNamespaces: ReadonlySet<string>;
  /** Takes it off the list of sandboxes that may live. */
  readonly forget: () => void;
}

const REAP_WITHIN_MS = 10_000;
const LOOK_AGAIN_MS = 5;

/** Resolves when no process of these sandboxes lives; throws `runner_failed` where one cannot be ended. */
export async function reap(traces: readonly Trace[]): Promise<void> {
  const deadline = Date.now() + REAP_WITHIN_MS;
  let left = await processesOf(traces);
  while (left.length > 0) {
    if (Date.now() > deadline) {
      throw new AppError('runner_failed', `${left.length} processes of the notebook could not be ended`);
    }
    left.forEach(end);
    await delay(LOOK_AGAIN_MS);
    left = await processesOf(traces);
  }
  traces.forEach(({ forget }) => forget());
}

/** The processes that live in these sandboxes; a zombie does not. */
export async function processesOf(traces: readonly Trace[]): Promise<number[]> {
  const marks = traces.map(({ mark }) => `${RUN_MARK}=${mark}`);
  const own = await readlink('/proc/self/ns/pid').catch(() => '');
  const namespaces = new Set(traces.flatMap(({ pidNamespaces }) => [...pidNamespaces]).filter(name => name !== own));
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name)).map(Number);
  const belongs = await Promise.all(
    pids.map(async pid => pid !== process.pid && (await isOf(pid, namespaces, marks)) && (await isAlive(pid)))
  );
  return pids.filter((_, index) => belongs[index]);
}

async function isOf(pid: number, namespaces: ReadonlySet<string>, marks: readonly string[]): Promise<boolean> {
  // Processes of other users cannot be read; they are none of ours, for a sandbox has the runner’s user.
  if (namespaces.has(await readlink(`/proc/${pid}/ns/pid`).catch(() => ''))) return true;
  const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
  return environment.split('\0').some(entry => marks.includes(entry));
}

async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
  const state = stat.slice(stat.lastIndexOf(')') + 2).charAt(0);
  return state !== '' && state !== 'Z' && state !== 'X';
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended between the look and the signal; the next look tells.
  }
}
