import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Wrap } from './daemon.js';

export interface SmallDisk {
  /** Below the state directory. */
  readonly folder: string;
  readonly megabytes: number;
}

const PRIVATE_MOUNTS: readonly (readonly [string, ...string[]])[] = [
  // As root with the right to mount; and as anybody else, or as root in a container, where user namespaces are allowed.
  ['unshare', '--mount', '--propagation', 'private'],
  ['unshare', '--user', '--map-root-user', '--mount', '--propagation', 'private']
];

/** Runs the daemon where folders of its state directory are small disks of their own, which only it and its children see. */
export function onSmallDisks(home: string, disks: readonly SmallDisk[]): Wrap {
  const mounts = disks.map(({ folder, megabytes }) => {
    mkdirSync(join(home, folder), { recursive: true, mode: 0o700 });
    return `mount -t tmpfs -o size=${megabytes}m,mode=700 small '${join(home, folder)}'`;
  });
  const script = `${mounts.join(' && ')} && exec "$@"`;
  const wrap = PRIVATE_MOUNTS.map((unshare): [string, ...string[]] => [...unshare, '--', 'sh', '-c', script, 'sh']).find(canRun);
  if (wrap === undefined) throw new Error('neither root nor user namespaces: no small disk can be made, and no sandbox either');
  return wrap;
}

/** Takes space on a small disk, from outside; gives the function that frees it. */
export function fill(daemon: { readonly pid: number }, path: string, megabytes: number): () => void {
  const filler = join(`/proc/${daemon.pid}/root`, path, '.filler');
  writeFileSync(filler, Buffer.alloc(megabytes << 20));
  return () => rmSync(filler);
}

/** A path on a small disk, as seen from outside. */
export const seenBy = (daemon: { readonly pid: number }, path: string): string => join(`/proc/${daemon.pid}/root`, path);

function canRun(wrap: readonly [string, ...string[]]): boolean {
  const [command, ...args] = [...wrap, 'true'];
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
