import { geteuid, setegid, seteuid } from 'node:process';

const NOBODY = 65534;

/** Runs `work` without root's power to pass over modes, also where the tests run as root. One at a time in a process. */
export async function asOrdinaryUser<T>(work: () => Promise<T>): Promise<T> {
  if (geteuid?.() !== 0) return work();
  setegid?.(NOBODY);
  seteuid?.(NOBODY);
  try {
    return await work();
  } finally {
    seteuid?.(0);
    setegid?.(0);
  }
}
