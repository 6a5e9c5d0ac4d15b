import { createHash } from 'node:crypto';
import { appendFile } from 'node:fs/promises';
import type { InstanceDirectory } from './instance-store.js';
import { killMarked, type ProcessIdentity } from './processes.js';
import { isGone, removeTree } from './remove-tree.js';
import { killSandboxes } from './sandboxes.js';

/** Why an instance is not cleared, for logs. */
export type Leftover = 'processes_remain' | 'files_remain';

/** What the instance's files say of it; each is undefined where they are damaged. */
export interface ClearedInstance {
  readonly directory: InstanceDirectory;
  readonly launcher: ProcessIdentity | undefined;
  readonly runDir: string | undefined;
}

/**
 * Ends every process of the instance's workload; then, since nothing writes there any more, removes all that the
 * workload could write. Never throws, for a workload must not be able to keep its instance from ending: what is left is
 * told, here and in the launcher's log, and the next deletion or sweep tries again.
 */
export async function clearInstance(cleared: ClearedInstance): Promise<Leftover | undefined> {
  const leftover = await clear(cleared).catch((): Leftover => 'files_remain');
  if (leftover !== undefined) {
    const line = JSON.stringify({ time: new Date().toISOString(), event: 'not_cleared', code: leftover });
    await appendFile(cleared.directory.launcherLog, `${line}\n`, { mode: 0o600 }).catch(() => undefined);
  }
  return leftover;
}

/** Whether an instance that ended still needs to be cleared. */
export async function isCleared({ directory, runDir }: ClearedInstance): Promise<boolean> {
  const gone = await Promise.all(placesOf(directory, runDir).map(isGone));
  return !gone.includes(false);
}

async function clear({ directory, launcher, runDir }: ClearedInstance): Promise<Leftover | undefined> {
  const { mark, sandboxList } = directory;
  try {
    await killMarked(mark);
    // Sandboxes that were being made when their runner was killed are not on its list yet.
    await killMarked(`CLOISTER_SANDBOX_OF=${createHash('sha256').update(sandboxList).digest('hex')}`);
    // Without a launcher that is known no workload ran, or the whole machine crashed since.
    if (launcher !== undefined) await killSandboxes({ list: sandboxList, launcher, mark });
  } catch {
    return 'processes_remain';
  }
  // The list goes at once: the namespaces are gone, and the kernel gives their inodes to others.
  await removeTree(sandboxList);
  const removed = await Promise.all(placesOf(directory, runDir).map(removeTree));
  return removed.includes(false) ? 'files_remain' : undefined;
}

function placesOf({ scratch, sandboxList }: InstanceDirectory, runDir: string | undefined): string[] {
  return [scratch, sandboxList, ...(runDir === undefined ? [] : [runDir])];
}
