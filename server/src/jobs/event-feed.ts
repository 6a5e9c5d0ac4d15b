import type { JobEvent, Thumbprint } from '@cloister/protocol';
import type { EventLog } from '../store/port.js';

/** Tells of changes as they are committed. The database keeps order and content; a wake-up only says: look again. */
export interface EventFeed {
  /** Something of this analyst was committed. */
  readonly committed: (analyst: Thumbprint) => void;
  /** Events after `from` in order and without a gap, until the signal is aborted. */
  readonly follow: (log: EventLog, options: FollowOptions) => AsyncIterable<JobEvent>;
  readonly followers: (analyst: Thumbprint) => number;
}

interface FollowOptions {
  readonly analyst: Thumbprint;
  readonly from: number;
  readonly signal: AbortSignal;
}

interface Follower {
  /** Something was committed since the log was last read. */
  stale: boolean;
  wake: () => void;
}

const BATCH = 200;

export function createEventFeed(): EventFeed {
  const following = new Map<Thumbprint, Set<Follower>>();
  const join = (analyst: Thumbprint, follower: Follower): (() => void) => {
    const followers = following.get(analyst) ?? new Set();
    following.set(analyst, followers.add(follower));
    return () => {
      followers.delete(follower);
      if (followers.size === 0) following.delete(analyst);
    };
  };
  return {
    committed: analyst => {
      for (const follower of following.get(analyst) ?? []) {
        follower.stale = true;
        follower.wake();
      }
    },
    followers: analyst => following.get(analyst)?.size ?? 0,
    follow: async function* (log, { analyst, from, signal }) {
      const follower: Follower = { stale: true, wake: () => undefined };
      const leave = join(analyst, follower);
      const abort = (): void => follower.wake();
      signal.addEventListener('abort', abort, { once: true });
      try {
        for (let seq = from; !signal.aborted; ) {
          follower.stale = false;
          const events = await log.after(analyst, seq, BATCH);
          for (const event of events) {
            seq = event.seq;
            yield event;
          }
          if (events.length === 0) await untilStale(follower, signal);
        }
      } finally {
        signal.removeEventListener('abort', abort);
        leave();
      }
    }
  };
}

async function untilStale(follower: Follower, signal: AbortSignal): Promise<void> {
  if (follower.stale || signal.aborted) return;
  await new Promise<void>(resolve => {
    follower.wake = resolve;
  });
}
