/**
 * A list, outside of every sandbox, of those that may hold living processes. Where the runner is killed, whoever started
 * it ends what is on the list: a cell can undo `--die-with-parent`, leave its session and its environment, but not its
 * pid namespace.
 */
import { createHash } from 'node:crypto';
import { closeSync, constants, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';

export interface SandboxList {
  /**
   * Environment of bubblewrap itself, by which whoever reads the list finds one that was not on it yet: killed in that
   * moment, the runner leaves a child that waits for ever, and has run nothing. The command does not get it.
   */
  readonly env: Readonly<Record<string, string>>;
  /** Throws where it cannot be written down; then the sandbox must not run. */
  add(pidNamespace: number): void;
  /** When none of its processes lives. Never throws. */
  remove(pidNamespace: number): void;
}

const PRIVATE = 0o600;

/** Keeps the list in the file `path`: the inode number of one pid namespace a line, in decimal. No file, no sandbox. */
export function createSandboxList(path: string): SandboxList {
  const living = new Set<number>();
  return {
    env: { CLOISTER_SANDBOX_OF: createHash('sha256').update(path).digest('hex') },
    add: pidNamespace => {
      append(path, `${pidNamespace}\n`);
      living.add(pidNamespace);
    },
    remove: pidNamespace => {
      // The kernel gives the number to another namespace soon, so one that stayed could end a stranger's processes.
      living.delete(pidNamespace);
      try {
        rewrite(path, living);
      } catch {
        // The line stays, and whoever reads it looks for processes that are most likely not there.
      }
    }
  };
}

function append(path: string, line: string): void {
  const file = openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW, PRIVATE);
  try {
    writeSync(file, line);
  } finally {
    closeSync(file);
  }
}

/** In one step: killed at any moment, the runner leaves a list on which every living sandbox is. */
function rewrite(path: string, living: ReadonlySet<number>): void {
  if (living.size === 0) {
    rmSync(path, { force: true });
    return;
  }
  const next = `${path}.next`;
  rmSync(next, { force: true });
  writeFileSync(next, [...living].map(each => `${each}\n`).join(''), { flag: 'wx', mode: PRIVATE });
  renameSync(next, path);
}
