import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { AppError } from '@cloister/protocol';
import * as z from 'zod/mini';
import { hasCode } from './private-files.js';

/**
 * A process that cannot be mistaken for a later one with its number: the kernel reuses numbers, but not within one
 * boot with the same start time.
 */
export const ProcessIdentity = z.strictObject({
  pid: z.int().check(z.gte(1)),
  /** Clock ticks since boot, field 22 of /proc/PID/stat. */
  startTime: z.int(),
  boot: z.string()
});
export type ProcessIdentity = z.infer<typeof ProcessIdentity>;

const POLL_MS = 20;

/** A living process and its parent's number. */
export interface ProcessEntry {
  readonly identity: ProcessIdentity;
  readonly parent: number;
}

/** Undefined where no such process lives. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  return (await readEntry(pid))?.identity;
}

/** All that lives and is visible. */
export async function listProcesses(): Promise<ProcessEntry[]> {
  const entries = await Promise.all((await processNumbers()).map(readEntry));
  return entries.filter(entry => entry !== undefined);
}

async function readEntry(pid: number): Promise<ProcessEntry | undefined> {
  const stat = await readProc(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The command's name may hold blanks and parentheses, so fields count from the last closing one; state is field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state = '', parent] = fields;
  const [threads, startTime] = [Number(fields[17]), Number(fields[19])];
  // A zombie lives no more, unless it is only the first of several threads: then the others run on.
  const isDead = state === 'X' || (state === 'Z' && threads <= 1);
  if (!Number.isSafeInteger(startTime) || isDead) return undefined;
  return { identity: { pid, startTime, boot: await bootId() }, parent: Number(parent) };
}

export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  const found = await identify(identity.pid);
  return found?.startTime === identity.startTime && found.boot === identity.boot;
}

/** True when it ended in time. */
export async function waitForEnd(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  return until(timeoutMs, async () => !(await isAlive(identity)));
}

/** Asks the condition again and again; false where it did not hold in time. */
export async function until(timeoutMs: number, holds: () => Promise<boolean>): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    if (await holds()) return true;
    if (Date.now() >= deadline) return false;
    await wait(POLL_MS);
  }
}

/** Signals exactly that process, or nobody. */
export async function signal(identity: ProcessIdentity, name: NodeJS.Signals): Promise<void> {
  if (await isAlive(identity)) kill(identity.pid, name);
}

/** @param target process number; negative for a process group */
export function kill(target: number, name: NodeJS.Signals): void {
  try {
    process.kill(target, name);
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}

/**
 * Kills every process that was started with this entry in its environment, until none is left: also those that left
 * the process group, the session and their parents.
 * @param mark `NAME=value`, unique to what is to end
 * @throws AppError internal where something cannot be killed
 */
export async function killMarked(mark: string): Promise<void> {
  const gone = await until(10_000, async () => {
    const found = await findMarked(mark);
    for (const identity of found) await signal(identity, 'SIGKILL');
    return found.length === 0;
  });
  if (!gone) throw new AppError('internal', 'a process of the instance does not end');
}

export async function findMarked(mark: string): Promise<ProcessIdentity[]> {
  const found = await Promise.all(
    (await processNumbers()).map(async pid => ((await environmentOf(pid)).includes(mark) ? identify(pid) : undefined))
  );
  return found.filter(identity => identity !== undefined);
}

/** `NAME=value` of each; empty where it cannot be read. */
export async function environmentOf(pid: number): Promise<string[]> {
  return (await readProc(`/proc/${pid}/environ`))?.split('\0') ?? [];
}

async function processNumbers(): Promise<number[]> {
  return (await readdir('/proc')).filter(name => /^[0-9]+$/.test(name)).map(Number);
}

async function bootId(): Promise<string> {
  return ((await readProc('/proc/sys/kernel/random/boot_id')) ?? '').trim();
}

/** Undefined where the process ended meanwhile or is another user's. */
async function readProc(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return undefined;
    throw error;
  }
}
