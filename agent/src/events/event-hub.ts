import { AppError, ERRORS, type AgentMessage, type JobEvent } from '@cloister/protocol';
import type { Clock } from '@cloister/kit';
import { keepOpen, type OpenEvents } from './keep-open.js';

export interface EventHubDeps {
  readonly open: OpenEvents;
  /** Tells the services, now and then, that somebody is still here: else the daemon of this machine ends when idle. */
  readonly stillHere: () => Promise<void>;
  readonly clock: Clock;
}

type Tell = (message: Exclude<AgentMessage, { kind: 'hello' }>) => void;

interface Follower {
  readonly tell: Tell;
  /** Sequence number of the last event that it has; undefined where it has none and asked for none. */
  cursor: number | undefined;
  /** It wants events from before what the ring holds. */
  behind: boolean;
}

interface Catchup {
  readonly stop: AbortController;
  /** It has told everything up to here since it began. */
  position: number;
}

const RING = 1000;
const STILL_HERE_MS = 10 * 60_000;

/**
 * One stream from the server for any number of followers. It begins with the first of them, from that moment on, and ends
 * with the last. Its newest events are kept in a ring, so that who comes back after a moment misses nothing. Who asks for
 * more than the ring holds shares a second stream from the server, until that has told what the ring begins with.
 * That the first stream never begins where a follower says keeps a number that was made up from silencing the others.
 */
export class EventHub {
  readonly #deps: EventHubDeps;
  readonly #followers = new Set<Follower>();
  /** The newest events, in order and without a gap. */
  #ring: JobEvent[] = [];
  /** The ring holds every event after this one; undefined until the first event came. */
  #floor: number | undefined;
  #live: AbortController | undefined;
  #catchup: Catchup | undefined;
  /** Followers were told that events flow. */
  #flowing = false;
  #trouble: Extract<AgentMessage, { kind: 'trouble' }> | undefined;

  constructor(deps: EventHubDeps) {
    this.#deps = deps;
  }

  /** @returns leaves again */
  follow(tell: Tell, resumeAfter?: number): () => void {
    const follower = { tell, cursor: resumeAfter, behind: resumeAfter !== undefined };
    this.#followers.add(follower);
    if (this.#trouble !== undefined) tell(this.#trouble);
    else if (this.#flowing) tell({ kind: 'recovered' });
    this.#live ??= this.#startLive();
    this.#settle();
    return () => this.#leave(follower);
  }

  #leave(follower: Follower): void {
    this.#followers.delete(follower);
    if (this.#followers.size > 0) {
      this.#settle();
      return;
    }
    this.#live?.abort();
    this.#catchup?.stop.abort();
    [this.#live, this.#catchup, this.#floor, this.#trouble] = [undefined, undefined, undefined, undefined];
    this.#ring = [];
    this.#flowing = false;
  }

  #startLive(): AbortController {
    const stop = new AbortController();
    const user = {
      from: () => this.#ring.at(-1)?.seq,
      onConnected: () => this.#onConnected(),
      onEvent: (event: JobEvent) => this.#onLive(event),
      onFailure: (error: unknown) => this.#onFailure(error)
    };
    const timer = setInterval(() => void this.#deps.stillHere().catch(() => undefined), STILL_HERE_MS);
    void keepOpen(this.#deps.open, user, { clock: this.#deps.clock, signal: stop.signal }).finally(() => clearInterval(timer));
    return stop;
  }

  #onConnected(): void {
    // Without an event to resume after, what happened since the last connection was not told.
    const complete = this.#flowing && this.#trouble === undefined && this.#ring.length > 0;
    this.#flowing = true;
    this.#trouble = undefined;
    if (!complete) for (const { tell } of this.#followers) tell({ kind: 'recovered' });
  }

  #onFailure(error: unknown): void {
    if (this.#trouble !== undefined) return;
    this.#trouble = { kind: 'trouble', ...wordsOf(error) };
    for (const { tell } of this.#followers) tell(this.#trouble);
  }

  #onLive(event: JobEvent): void {
    this.#floor ??= event.seq - 1;
    this.#ring.push(event);
    if (this.#ring.length > RING) this.#floor = this.#ring.shift()?.seq;
    for (const follower of this.#followers) if (!follower.behind) deliver(follower, event);
    this.#settle();
  }

  #onCaughtUp(catchup: Catchup, event: JobEvent): void {
    catchup.position = event.seq;
    for (const follower of this.#followers) if (follower.behind) deliver(follower, event);
    this.#settle();
  }

  /** Whoever the ring reaches goes on from it; for the others there is one stream, from the earliest that any of them wants. */
  #settle(): void {
    let earliest: number | undefined;
    for (const follower of this.#followers) {
      if (!follower.behind || follower.cursor === undefined) continue;
      if (this.#floor !== undefined && follower.cursor >= this.#floor) {
        follower.behind = false;
        for (const event of this.#ring) deliver(follower, event);
      } else earliest = Math.min(earliest ?? follower.cursor, follower.cursor);
    }
    if (earliest === undefined) {
      this.#catchup?.stop.abort();
      this.#catchup = undefined;
    } else if (this.#catchup === undefined || earliest < this.#catchup.position) {
      this.#catchup?.stop.abort();
      this.#catchup = this.#startCatchup(earliest);
    }
  }

  #startCatchup(position: number): Catchup {
    const catchup = { stop: new AbortController(), position };
    const user = {
      from: () => catchup.position,
      onConnected: () => undefined,
      onEvent: (event: JobEvent) => this.#onCaughtUp(catchup, event),
      // The other stream, to the same server, tells of it.
      onFailure: () => undefined
    };
    void keepOpen(this.#deps.open, user, { clock: this.#deps.clock, signal: catchup.stop.signal });
    return catchup;
  }
}

function deliver(follower: Follower, event: JobEvent): void {
  if (follower.cursor !== undefined && event.seq <= follower.cursor) return;
  follower.cursor = event.seq;
  follower.tell({ kind: 'event', event });
}

function wordsOf(error: unknown): { readonly code: string; readonly detail: string; readonly hint: string } {
  if (error instanceof AppError) return { code: error.code, detail: error.detail, hint: error.hint };
  return { code: 'internal', detail: 'the agent failed to listen for events', hint: ERRORS.internal.hint };
}
