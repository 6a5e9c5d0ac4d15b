import type { Clock } from './clock.js';

export interface CellCounts {
  readonly done: number;
  readonly total: number;
}

export interface ProgressOptions {
  readonly clock: Clock;
  /** Sends the newest counts, until `signal`, and says whether the job was cancelled. May fail; then the next one tells more. */
  readonly send: (cells: CellCounts | undefined, signal: AbortSignal) => Promise<{ readonly cancelled: boolean }>;
  readonly onCancelled: () => void;
  /** An answer that ends the attempt, as where a newer one runs. */
  readonly onRefused: (error: unknown) => void;
  /** Which failures of `send` are such answers. */
  readonly isRefusal: (error: unknown) => boolean;
}

export interface ProgressReporter {
  readonly report: (cells: CellCounts) => void;
  /** Ends the message under way; resolves when nothing is sent any more. */
  readonly stop: () => Promise<void>;
}

/** A fixed rhythm, whatever the notebook does: how often and when counts change is a channel to the operator. */
const BEAT_MS = 500;
/** Without news, a sign of life, which also brings a cancellation in. */
const QUIET_BEATS = 4;

/** Forwards counts at a bounded rate, the newest first of all, from now until `stop`. */
export function startProgress({ clock, send, onCancelled, onRefused, isRefusal }: ProgressOptions): ProgressReporter {
  const stopped = new AbortController();
  let newest: CellCounts | undefined;
  let sent: CellCounts | undefined;

  const beat = async (): Promise<void> => {
    const cells = newest;
    try {
      const { cancelled } = await send(cells, stopped.signal);
      sent = cells;
      if (cancelled) onCancelled();
    } catch (error) {
      if (!stopped.signal.aborted && isRefusal(error)) onRefused(error);
    }
  };
  const loop = async (): Promise<void> => {
    for (let quiet = QUIET_BEATS; !stopped.signal.aborted; quiet += 1) {
      if (newest !== sent || quiet >= QUIET_BEATS) {
        await beat();
        quiet = 0;
      }
      await clock.wait(BEAT_MS, stopped.signal);
    }
  };
  const running = loop();
  return {
    report: cells => {
      newest = cells;
    },
    stop: async () => {
      stopped.abort();
      await running;
    }
  };
}
