/** How slow a peer may be. */
export interface PaceLimits {
  /** Longest time of a call, from its first byte to the last of its reply. */
  readonly callMs: number;
  /** A stream may last, but within each such time it must move this many bytes. */
  readonly windowMs: number;
  readonly leastPerWindow: number;
}

export const DEFAULT_PACE: PaceLimits = { callMs: 120_000, windowMs: 60_000, leastPerWindow: 1024 * 1024 };

export interface Pace {
  readonly moved: (bytes: number) => void;
  readonly stop: () => void;
}

/**
 * Watches one exchange until `stop`, and tells once where it is too slow. A limit on silence alone is no limit: a peer
 * that sends a byte now and then would hold the runner, with opened data on its disk, for as long as it likes.
 */
export function keepPace({ callMs, windowMs, leastPerWindow }: PaceLimits, kind: 'call' | 'stream', tooSlow: () => void): Pace {
  if (kind === 'call') {
    const timer = setTimeout(tooSlow, callMs);
    return { moved: () => undefined, stop: () => clearTimeout(timer) };
  }
  let bytes = 0;
  const timer = setInterval(() => {
    if (bytes < leastPerWindow) tooSlow();
    bytes = 0;
  }, windowMs);
  return { moved: count => void (bytes += count), stop: () => clearInterval(timer) };
}
