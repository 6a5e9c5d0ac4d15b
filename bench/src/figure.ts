import type { Resources } from './resources.js';

/** One line of the result. `ours`, `peer` and `limit` are in `unit`; `ratioLimit` is, as `ratio`, a number alone. */
export interface Figure {
  /** Stable: figures of two runs are compared by it. */
  readonly id: string;
  /** Median over the runs. */
  readonly ours: number;
  /** Median of what it is compared with, measured in turns with ours. */
  readonly peer?: number;
  /** Median of ours / peer, run by run: it moves less with the load of the machine than either. */
  readonly ratio?: number;
  /** What we aim to stay under. */
  readonly limit?: number;
  /** What we aim to keep the ratio under. */
  readonly ratioLimit?: number;
  readonly unit: 's' | 'ms' | 'MiB' | 'GB/s';
  readonly runs: number;
  /** What was measured, what the peer is, and where the time or the memory went. */
  readonly note: string;
}

/** What a measurement works with. */
export interface Bench {
  /** The checkout. */
  readonly root: string;
  /** Folder of the programs that were compiled from bench/. */
  readonly compiled: string;
  /** Interpreter with nbclient, ipykernel and the packages of the demo. */
  readonly python: string;
  readonly resources: Resources;
  /** Tells the person who waits. */
  readonly say: (text: string) => void;
}

/** Figures that come out of the same work. */
export interface Measurement {
  readonly ids: readonly string[];
  /** @param wanted which of `ids` were asked for; others may be left out where that saves time */
  readonly run: (bench: Bench, wanted: ReadonlySet<string>) => Promise<readonly Figure[]>;
}
