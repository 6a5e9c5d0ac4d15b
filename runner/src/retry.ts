import { randomInt } from 'node:crypto';
import { AppError, type ErrorCode } from '@cloister/protocol';
import type { Clock } from './clock.js';
import { requireNotStopped } from './stopping.js';

/** What a later try of the very same request may mend. Policy's answers are not among them. */
const TRANSIENT: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['unavailable', 'internal', 'rate_limited', 'proof_stale', 'proof_replayed']);
const LONGEST_PAUSE_MS = 30_000;

export interface RetryOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** All tries, the first included. */
  readonly tries?: number;
  /** First pause; it doubles, with jitter. A reply's Retry-After is a lower bound. */
  readonly baseMs?: number;
}

/** Tries again what failed for a passing reason. Every request of a runner may be repeated: each is idempotent at its service. */
export async function withRetries<T>(work: () => Promise<T>, { clock, signal, tries = 5, baseMs = 250 }: RetryOptions): Promise<T> {
  for (let made = 1; ; made += 1) {
    requireNotStopped(signal);
    try {
      return await work();
    } catch (error) {
      requireNotStopped(signal);
      if (made >= tries || !isTransient(error)) throw error;
      const backoff = randomInt(baseMs) + baseMs * 2 ** (made - 1);
      await clock.wait(Math.min(LONGEST_PAUSE_MS, Math.max(backoff, retryAfterMs(error))), signal);
    }
  }
}

function isTransient(error: unknown): boolean {
  return error instanceof AppError && TRANSIENT.has(error.code);
}

/** Milliseconds that the service asked to wait; 0 where it did not. */
export function retryAfterMs(error: unknown): number {
  const seconds = error instanceof AppError ? error.members['retryAfterSeconds'] : undefined;
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0;
}
