import { AppError, type JobEvent } from '@cloister/protocol';
import { retryAfterMs, type Clock } from '@cloister/kit';

export interface StreamRequest {
  readonly signal: AbortSignal;
  /** Sequence number of the last event seen; undefined for those from now on. */
  readonly resumeAfter: number | undefined;
  /** Somebody came just now and waits: what does not run may be started. */
  readonly asked: boolean;
}

/** One connection to the server's events: `connected` once it listens, then each change; ends or throws where it does. */
export type OpenEvents = (request: StreamRequest) => AsyncIterable<JobEvent | 'connected'>;

export interface StreamUser {
  /** Sequence number of the last event seen; undefined for those from now on. Asked before each connection. */
  readonly from: () => number | undefined;
  readonly onConnected: () => void;
  readonly onEvent: (event: JobEvent) => void;
  /** No connection came about. One that merely broke is tried again first. */
  readonly onFailure: (error: unknown) => void;
}

const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5000;
/** A server that asks for more pauses leaves a page in the dark. */
const MAX_ASKED_MS = 60_000;
/** A connection that held so long was a good one: the next one is tried at once. */
const GOOD_MS = 10_000;

/** Keeps a stream of events open until the signal, however often it breaks. Never throws. */
export async function keepOpen(open: OpenEvents, user: StreamUser, { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal }): Promise<void> {
  let asked = true;
  for (let failures = 0; !signal.aborted; failures += 1, asked = false) {
    let connectedAt: number | undefined;
    let pause = 0;
    try {
      for await (const said of open({ signal, resumeAfter: user.from(), asked })) {
        // What arrives after the signal is nobody's any more.
        if (isAborted(signal)) return;
        if (said === 'connected') {
          connectedAt = clock.now().getTime();
          user.onConnected();
        } else user.onEvent(said);
      }
    } catch (error) {
      if (isAborted(signal)) return;
      if (connectedAt === undefined) user.onFailure(error);
      if (error instanceof AppError) pause = Math.min(MAX_ASKED_MS, retryAfterMs(error));
    }
    if (connectedAt !== undefined && clock.now().getTime() - connectedAt > GOOD_MS) failures = 0;
    await clock.sleep(Math.max(pause, Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures)), signal).catch(() => undefined);
  }
}

/** Asked through a function, since the compiler takes what it was before an await for what it is after. */
const isAborted = (signal: AbortSignal): boolean => signal.aborted;
