import type { TransportReply } from '@cloister/protocol';
import type { Clock } from '../clock.js';
import { mayRetry, retryAfterMs } from '../retry.js';
import { readEvents, type ReceivedEvent } from './events.js';

export interface FollowOptions {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Where to go on after; undefined for the beginning. */
  readonly lastEventId?: string;
  readonly random?: () => number;
}

const BASE_MS = 250;
const MAX_MS = 15_000;

/**
 * Events without a gap for as long as the signal allows: where the stream ends or breaks off it is opened again after
 * the last event that was seen, with growing pauses while the service does not answer. Refusals are thrown.
 */
export async function* followEvents(
  open: (lastEventId: string | undefined) => Promise<TransportReply>,
  { signal, clock, lastEventId, random = Math.random }: FollowOptions
): AsyncGenerator<ReceivedEvent, undefined> {
  let last = lastEventId;
  let failures = 0;
  while (!signal.aborted) {
    let after = 0;
    try {
      const reply = await open(last);
      for await (const event of readEvents(reply.body)) {
        failures = 0;
        last = event.id ?? last;
        yield event;
      }
    } catch (error) {
      if (isAborted(signal)) return;
      if (!mayRetry(error)) throw error;
      after = retryAfterMs(error);
    }
    if (isAborted(signal)) return;
    const pause = Math.max(after, random() * Math.min(MAX_MS, BASE_MS * 2 ** failures));
    failures += 1;
    await clock.sleep(pause, signal).catch(() => undefined);
  }
}

/** A function, since the compiler takes a signal that it once saw unaborted to be so for ever. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
