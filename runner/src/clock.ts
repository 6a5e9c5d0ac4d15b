import { setTimeout as sleep } from 'node:timers/promises';

/** Time as a port, so that tests wait for nothing. */
export interface Clock {
  readonly now: () => Date;
  /** Resolves after `ms`, or at once where the signal is aborted. Never rejects. */
  readonly wait: (ms: number, signal?: AbortSignal) => Promise<void>;
}

export const systemClock: Clock = {
  now: () => new Date(),
  wait: async (ms, signal) => {
    // An aborted wait is over; whoever waits looks at the signal.
    await sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }
};
