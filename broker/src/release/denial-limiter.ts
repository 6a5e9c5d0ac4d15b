/** Tokens come back one by one; `burst` at most are kept. */
export interface DenialLimits {
  readonly burst: number;
  readonly refillMs: number;
}

export interface DenialLimiter {
  /** Takes one denial. @returns milliseconds to wait, 0 where it may be given now */
  readonly take: (who: string, now: Date) => number;
}

const MAX_BUCKETS = 10_000;

/**
 * Token buckets by name, in memory. Where there are too many names the oldest bucket is dropped: whoever can make that
 * many names has a full bucket anyway, and the name that all strangers share is kept by the caller's choice of names.
 */
export function createDenialLimiter({ burst, refillMs }: DenialLimits): DenialLimiter {
  const buckets = new Map<string, { tokens: number; at: number }>();
  return {
    take: (who, now) => {
      const at = now.getTime();
      const bucket = buckets.get(who) ?? { tokens: burst, at };
      // a clock that went back refills nothing
      const tokens = Math.min(burst, bucket.tokens + Math.max(0, at - bucket.at) / refillMs);
      buckets.delete(who);
      buckets.set(who, { tokens: tokens >= 1 ? tokens - 1 : tokens, at });
      const [oldest] = buckets.keys();
      if (buckets.size > MAX_BUCKETS && oldest !== undefined) buckets.delete(oldest);
      return tokens >= 1 ? 0 : Math.ceil((1 - tokens) * refillMs);
    }
  };
}
