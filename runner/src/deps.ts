import type { Transport } from '@cloister/protocol';
import type { TokenSource } from './attestation/token-source.js';
import type { Clock } from './clock.js';
import type { NotebookSandbox } from './sandbox.js';

/** Codes and counts only: the operator reads it. Names, sizes of data, tokens and texts of errors stay inside. */
export type Log = (event: string, counts?: Readonly<Record<string, number>>) => void;

/** What an attempt needs of the world; `main.ts` chooses. */
export interface RunnerDeps {
  readonly transport: Transport;
  readonly tokens: TokenSource;
  readonly sandbox: NotebookSandbox;
  readonly clock: Clock;
  readonly log: Log;
  /** How long all brokers together may take to witness the report. Five seconds where absent. */
  readonly witnessMs?: number;
}
