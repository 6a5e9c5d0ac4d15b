import { expect, test } from 'vitest';
import { AppError, JobEvent, type AgentMessage } from '@cloister/protocol';
import type { Clock } from '@cloister/kit';
import { EventHub } from './event-hub.js';
import type { StreamRequest } from './keep-open.js';

/** A server's streams by hand: each request as it came, and what its stream says. */
interface Stream {
  readonly request: StreamRequest;
  readonly say: (said: JobEvent | 'connected') => void;
  /** Ends it, or breaks it. */
  readonly end: (error?: AppError) => void;
}

function createServer(): { readonly streams: Stream[]; readonly open: (request: StreamRequest) => AsyncGenerator<JobEvent | 'connected', undefined> } {
  const streams: Stream[] = [];
  return {
    streams,
    open: async function* (request) {
      const waiting: (JobEvent | 'connected' | { readonly error: AppError | undefined })[] = [];
      let wake = (): void => undefined;
      const add = (item: (typeof waiting)[number]): void => {
        waiting.push(item);
        wake();
      };
      streams.push({ request, say: add, end: error => add({ error }) });
      request.signal.addEventListener('abort', () => wake(), { once: true });
      for (;;) {
        const next = waiting.shift();
        if (request.signal.aborted) return undefined;
        if (next === undefined) await new Promise<void>(resolve => (wake = resolve));
        else if (typeof next === 'object' && 'error' in next) {
          if (next.error === undefined) return undefined;
          throw next.error;
        } else yield next;
      }
    }
  };
}

const clock: Clock = { now: () => new Date(), sleep: async () => undefined };
const eventOf = (seq: number): JobEvent => JobEvent.parse({ seq, job: `sha256:${'0'.repeat(64)}`, state: 'running', attempt: 1, version: seq, time: '2026-01-01T00:00:00.000Z' });

function createHub(): { readonly hub: EventHub; readonly streams: Stream[] } {
  const { streams, open } = createServer();
  return { streams, hub: new EventHub({ open, clock, stillHere: async () => undefined }) };
}

function follow(hub: EventHub, resumeAfter?: number): { readonly told: AgentMessage[]; readonly seqs: () => number[]; readonly leave: () => void } {
  const told: AgentMessage[] = [];
  const leave = hub.follow(message => told.push(message), resumeAfter);
  return { told, leave, seqs: () => told.flatMap(message => (message.kind === 'event' ? [message.event.seq] : [])) };
}

async function opened(streams: readonly Stream[], at: number): Promise<Stream> {
  await expect.poll(() => streams.length).toBeGreaterThan(at);
  const stream = streams[at];
  if (stream === undefined) throw new Error('no stream');
  return stream;
}

test('only the first try is for somebody who waits; those after it start nothing', async () => {
  const { hub, streams } = createHub();
  const page = follow(hub);
  (await opened(streams, 0)).end(new AppError('daemon_unreachable', 'it does not run'));
  await opened(streams, 1);
  expect(streams.slice(0, 2).map(({ request }) => request.asked)).toEqual([true, false]);
  expect(page.told).toMatchObject([{ kind: 'trouble', code: 'daemon_unreachable' }]);
  page.leave();
});

test('a stream that broke before its first event may have lost some: pages are told to read anew', async () => {
  const { hub, streams } = createHub();
  const page = follow(hub);
  (await opened(streams, 0)).say('connected');
  await expect.poll(() => page.told).toEqual([{ kind: 'recovered' }]);
  (await opened(streams, 0)).end();
  (await opened(streams, 1)).say('connected');
  await expect.poll(() => page.told).toEqual([{ kind: 'recovered' }, { kind: 'recovered' }]);
  page.leave();
});

test('who is further behind than the ring reaches gets the rest from the server, then goes on with the others', async () => {
  const { hub, streams } = createHub();
  const page = follow(hub);
  const live = await opened(streams, 0);
  live.say('connected');
  for (let seq = 11; seq <= 1500; seq += 1) live.say(eventOf(seq));
  await expect.poll(() => page.seqs().at(-1)).toBe(1500);
  const late = follow(hub, 100);
  const second = await opened(streams, 1);
  expect(second.request.resumeAfter).toBe(100);
  second.say('connected');
  // The ring begins with 501: once the second stream came there, memory has the rest.
  for (let seq = 101; seq <= 500; seq += 1) second.say(eventOf(seq));
  await expect.poll(() => late.seqs().length).toBe(1400);
  expect(second.request.signal.aborted).toBe(true);
  live.say(eventOf(1501));
  await expect.poll(() => late.seqs().at(-1)).toBe(1501);
  expect(late.seqs()).toEqual(Array.from({ length: 1401 }, (_, at) => at + 101));
  for (const each of [page, late]) each.leave();
  expect(live.request.signal.aborted).toBe(true);
});

test('the last who leaves takes everything along: who comes after begins anew', async () => {
  const { hub, streams } = createHub();
  const page = follow(hub);
  const live = await opened(streams, 0);
  live.say('connected');
  live.say(eventOf(7));
  await expect.poll(() => page.seqs()).toEqual([7]);
  page.leave();
  const next = follow(hub);
  const { request } = await opened(streams, 1);
  expect([request.resumeAfter, next.told]).toEqual([undefined, []]);
  next.leave();
});
