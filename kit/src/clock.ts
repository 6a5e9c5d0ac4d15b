import { setTimeout as wait } from 'node:timers/promises';

/** Time as a port: services take it in, tests turn its hands. */
export interface Clock {
  readonly now: () => Date;
  /** Rejects with the signal's reason where it is aborted. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

export const systemClock: Clock = {
  now: () => new Date(),
  sleep: async (ms, signal) => {
    signal?.throwIfAborted();
    try {
      await wait(ms, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  }
};
