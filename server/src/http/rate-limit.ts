import { AppError } from '@cloister/protocol';
import type { Clock } from '@cloister/kit';

interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** Keys of which more is remembered than "has not been here lately". */
const MAX_BUCKETS = 10_000;

/** One token bucket a key. @throws AppError rate_limited from the returned function */
export function createRateLimit({ perSecond, burst }: Rate, clock: Pick<Clock, 'now'>): (key: string) => void {
  const buckets = new Map<string, { tokens: number; at: number }>();
  return key => {
    const now = clock.now().getTime();
    const last = buckets.get(key) ?? { tokens: burst, at: now };
    const tokens = Math.min(burst, last.tokens + (Math.max(0, now - last.at) / 1000) * perSecond);
    // The map keeps the order of use, so the first is the one that has been silent longest.
    buckets.delete(key);
    buckets.set(key, { tokens: Math.max(0, tokens - 1), at: now });
    const oldest = buckets.keys().next();
    if (buckets.size > MAX_BUCKETS && oldest.done !== true) buckets.delete(oldest.value);
    if (tokens < 1) throw new AppError('rate_limited', 'too many requests by this key', { members: { retryAfterSeconds: 1 } });
  };
}
