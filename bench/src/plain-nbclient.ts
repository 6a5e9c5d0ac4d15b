import { join } from 'node:path';

import type { Bench } from './figure.js';
import { timeCommand } from './processes.js';

export interface PlainRun {
  readonly notebook: string;
  /** File that gets the executed notebook. */
  readonly executed: string;
}

/** The peer of a run in the sandbox: the same interpreter and packages, nbclient alone. @returns wall time in seconds */
export async function runPlainNbclient({ root, python, resources }: Bench, { notebook, executed }: PlainRun): Promise<number> {
  const script = join(root, 'bench/python/plain_nbclient.py');
  return timeCommand({ command: python, args: [script, notebook, executed, join(root, 'python')], signal: resources.signal });
}
