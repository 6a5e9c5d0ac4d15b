import { closeSync, readdirSync, readFileSync } from 'node:fs';

const STANDARD_STREAMS = 3;
const CLOSE_ON_EXEC = 0o2000000;

/**
 * Closes what this process inherited from whoever started it and would pass on to every child, a sandbox too, where a cell
 * could open it by /proc/1/fd. Node marks all that it opens itself close-on-exec, and at start what it inherits up to the
 * first gap; the rest is neither used nor wanted by the runner.
 */
export function closeInheritedFiles(): void {
  for (const fd of readdirSync('/proc/self/fd').map(Number)) {
    if (fd >= STANDARD_STREAMS && isPassedOn(fd)) closeSync(fd);
  }
}

function isPassedOn(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
  } catch {
    // The listing of the folder had a descriptor of its own, gone by now.
    return false;
  }
}
