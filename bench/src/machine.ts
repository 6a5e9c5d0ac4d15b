import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';

import { MIB } from './process-memory.js';

/** What the absolute figures depend on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryMiB: number;
  readonly kernel: string;
  readonly node: string;
  readonly python: string;
  readonly nbclient: string;
  readonly age: string;
  readonly bubblewrap: string;
  /** Of the sources, with a `+` where they have changed since. */
  readonly commit: string;
  readonly startedAt: string;
  /** Processes that wanted a core in the last 1, 5 and 15 minutes, before we began. */
  readonly load: readonly number[];
}

const UNKNOWN = 'unknown';

export function describeMachine(root: string, python: string): Machine {
  const first = cpus()[0];
  return {
    cpu: first?.model.trim() ?? UNKNOWN,
    cores: cpus().length,
    memoryMiB: Math.round(totalmem() / MIB),
    kernel: release(),
    node: process.versions.node,
    python: said(python, ['-c', 'import platform; print(platform.python_version())']),
    nbclient: said(python, ['-c', 'from importlib.metadata import version; print(version("nbclient"))']),
    age: said('age', ['--version']),
    bubblewrap: said('bwrap', ['--version']),
    commit: commitOf(root),
    startedAt: new Date().toISOString(),
    load: loadavg().map(value => Number(value.toFixed(2)))
  };
}

function commitOf(root: string): string {
  const commit = said('git', ['-C', root, 'rev-parse', '--short=12', 'HEAD']);
  const changed = commit !== UNKNOWN && said('git', ['-C', root, 'status', '--porcelain']) !== '';
  return changed ? `${commit}+` : commit;
}

/** What a program prints about itself; a figure that needs a program fails by itself where it is not there. */
function said(command: string, args: readonly string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return UNKNOWN;
  }
}
