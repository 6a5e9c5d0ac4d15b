import { readFileSync, readdirSync } from 'node:fs';
import { eventually } from './poll.js';

export interface FoundProcess {
  readonly pid: number;
  readonly command: string;
}

/**
 * Every live process that has to do with a folder: its name is among the arguments, in the environment, or among the
 * mounts, where a sandbox cannot hide it.
 */
export function processesOf(folder: string): FoundProcess[] {
  const numbers = readdirSync('/proc').filter(name => /^[0-9]+$/.test(name)).map(Number);
  return numbers
    .filter(pid => pid !== process.pid && ['cmdline', 'environ', 'mountinfo'].some(file => readProc(pid, file).includes(folder)) && isAlive(pid))
    .map(pid => ({ pid, command: readProc(pid, 'cmdline').replaceAll('\0', ' ').trim() }));
}

/** A zombie holds nothing any more; its parent has yet to read how it ended. */
export function isAlive(pid: number): boolean {
  const stat = readProc(pid, 'stat');
  return stat !== '' && !['Z', 'X'].includes(stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3));
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return ''; // it ended meanwhile, or is another user's
  }
}

/** Signals one process by its number. False where it has ended. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

/** Ends everything that has to do with a folder, process by process, until nothing is left. */
export async function endProcessesOf(folder: string): Promise<void> {
  await eventually('end of the processes of this home', () => {
    const found = processesOf(folder);
    for (const { pid } of found) signalProcess(pid, 'SIGKILL');
    return found.length === 0;
  }, { within: 20_000, pauseMs: 50 });
}
