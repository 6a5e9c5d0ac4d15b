import { readFileSync, writeFileSync } from 'node:fs';

export const MIB = 1024 * 1024;

/** Bytes of a process in physical memory. */
export interface Memory {
  readonly now: number;
  /** The most since the process began or since `forgetPeak`. */
  readonly peak: number;
  /** Of `now`, what no file stands for: heaps and buffers, not program text. */
  readonly anonymous: number;
}

/** @returns undefined where there is no such process any more */
export function memoryOf(pid: number): Memory | undefined {
  let status: string;
  try {
    status = readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return undefined;
  }
  const bytes = (field: string): number => Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? Number.NaN) * 1024;
  const memory = { now: bytes('VmRSS'), peak: bytes('VmHWM'), anonymous: bytes('RssAnon') };
  // A process that has just ended still has a status, without these.
  return Number.isNaN(memory.now) ? undefined : memory;
}

/** @throws where the process has ended, so that nobody takes the lack of it for a small one */
export function requireMemory(pid: number | undefined): Memory {
  const memory = pid === undefined ? undefined : memoryOf(pid);
  if (memory === undefined) throw new Error('the process that is measured has ended');
  return memory;
}

/** Lets the kernel count the peak of our own process, or of another of ours, from now. */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

const LOOK_EVERY_MS = 10;

/**
 * The highest peak of a process that comes and goes while `work` goes on. The kernel keeps it; we only have to look
 * shortly before the process ends.
 * @throws where the process never was
 */
export async function peakDuring(find: () => number | undefined, work: () => Promise<void>): Promise<number> {
  let pid: number | undefined;
  let peak = 0;
  const look = (): void => {
    pid ??= find();
    if (pid !== undefined) peak = Math.max(peak, memoryOf(pid)?.peak ?? 0);
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  if (peak === 0) throw new Error('the process that is measured was not seen');
  return peak;
}
