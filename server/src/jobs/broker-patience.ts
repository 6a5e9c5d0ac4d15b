import type { Clock } from '@cloister/kit';

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

/**
 * Remembers which brokers are silent. While one is, nobody waits for it but the one who tries whether it is back.
 */
export interface BrokerPatience {
  /** Milliseconds until the broker may be asked again; 0: now, and then its answer must be told. */
  readonly pause: (broker: string) => number;
  readonly answered: (broker: string) => void;
  readonly silent: (broker: string) => void;
}

interface Silence {
  readonly failures: number;
  readonly until: number;
}

/** @param limit brokers that are remembered; the one that fell silent the longest ago is forgotten first */
export function createBrokerPatience(clock: Pick<Clock, 'now'>, limit = 1000): BrokerPatience {
  const silences = new Map<string, Silence>();
  const keep = (broker: string, silence: Silence): void => {
    silences.delete(broker);
    silences.set(broker, silence);
    for (const oldest of silences.keys()) {
      if (silences.size <= limit) return;
      silences.delete(oldest);
    }
  };
  return {
    pause: broker => {
      const silence = silences.get(broker);
      if (silence === undefined) return 0;
      const now = clock.now().getTime();
      if (silence.until > now) return silence.until - now;
      // Until the one who may ask now comes back, or this much time has gone.
      keep(broker, { ...silence, until: now + LONGEST_PAUSE_MS });
      return 0;
    },
    answered: broker => {
      silences.delete(broker);
    },
    silent: broker => {
      const failures = (silences.get(broker)?.failures ?? 0) + 1;
      keep(broker, { failures, until: clock.now().getTime() + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 10)) });
    }
  };
}
