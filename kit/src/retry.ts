import { AppError } from '@cloister/protocol';
import type { Clock } from './clock.js';

export interface RetryOptions {
  /** All tries, the first included. */
  readonly attempts: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
  /** Upper bound of the first pause; it doubles with each. */
  readonly baseMs?: number;
  readonly maxMs?: number;
}

/**
 * Tries again what may succeed later: errors whose code says so, and failures of the network. Exponential backoff with
 * full jitter, so that many clients of one restarted service do not come back as one; Retry-After is a lower bound.
 */
export async function retry<T>(work: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const { attempts, clock, signal, random = Math.random, baseMs = 200, maxMs = 10_000 } = options;
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    try {
      return await work(attempt);
    } catch (error) {
      if (attempt >= attempts || !mayRetry(error)) throw error;
      const jittered = random() * Math.min(maxMs, baseMs * 2 ** (attempt - 1));
      await clock.sleep(Math.max(jittered, retryAfterMs(error)), signal);
    }
  }
}

const NETWORK_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

/** Whether the same request may succeed later. */
export function mayRetry(error: unknown): boolean {
  if (error instanceof AppError) return error.retry;
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && NETWORK_CODES.has(error.code);
}

/** What a reply's Retry-After asked for, in milliseconds; 0 where it did not. */
export function retryAfterMs(error: unknown): number {
  const seconds = error instanceof AppError ? error.members['retryAfterSeconds'] : undefined;
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0;
}
