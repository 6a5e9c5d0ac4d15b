import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a benchmark made on this machine, and must not leave behind. */
export interface Resources {
  /** Aborted when everything is to end. */
  readonly signal: AbortSignal;
  /** A private folder on disk. */
  readonly folder: (name: string) => Promise<string>;
  /** A private folder in memory where the machine has such a place, else on disk. */
  readonly memoryFolder: (name: string) => Promise<string>;
  /** To be called at the end, the last one first. The returned function calls it now instead, once. */
  readonly onEnd: (end: () => Promise<void>) => () => Promise<void>;
  /** Ends all of it. Never rejects: what could not be ended is told. */
  readonly end: () => Promise<void>;
}

const SHARED_MEMORY = '/dev/shm';

export function createResources(tell: (text: string) => void): Resources {
  const stopping = new AbortController();
  const ends = new Set<() => Promise<void>>();
  const onEnd = (end: () => Promise<void>): (() => Promise<void>) => {
    let ended: Promise<void> | undefined;
    // Whoever calls second waits for the same end, so that nobody leaves while it is under way.
    const endOnce = async (): Promise<void> => {
      ended ??= end();
      await ended.finally(() => ends.delete(endOnce));
    };
    ends.add(endOnce);
    return endOnce;
  };
  const folderIn = async (parent: string, name: string): Promise<string> => {
    const folder = await mkdtemp(join(parent, `cloister-bench-${name}-`));
    onEnd(() => rm(folder, { recursive: true, force: true }));
    return folder;
  };
  return {
    signal: stopping.signal,
    folder: name => folderIn(tmpdir(), name),
    memoryFolder: name => folderIn(existsSync(SHARED_MEMORY) ? SHARED_MEMORY : tmpdir(), name),
    onEnd,
    end: async () => {
      stopping.abort();
      for (let last = [...ends].at(-1); last !== undefined; last = [...ends].at(-1)) {
        await last().catch((error: unknown) => tell(`could not be cleaned up: ${String(error)}`));
      }
    }
  };
}
