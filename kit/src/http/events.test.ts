import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { defineRoute } from '@cloister/protocol';
import {
  bindRoutes,
  createApp,
  createLogger,
  createTransport,
  listen,
  parseLastEventId,
  readEvents,
  type Listening,
  type ReceivedEvent,
  type ServerEvent
} from '../index.js';
import { formatEvent } from './events.js';

const ROUTES = {
  events: defineRoute({
    id: 'events', method: 'GET', path: '/v1/events', auth: 'none', summary: '', headers: ['last-event-id'],
    body: { kind: 'none' }, response: { kind: 'events', status: 200, schema: z.strictObject({ n: z.int() }) }, errors: []
  })
} as const;

type Numbers = (after: number, signal: AbortSignal) => AsyncIterable<ServerEvent<{ n: number }>>;

async function serving(events: Numbers): Promise<Listening> {
  const router = bindRoutes(
    ROUTES,
    { events: async ({ headers, signal }) => ({ events: events(parseLastEventId(headers['last-event-id']) ?? 0, signal) }) },
    { authenticate: async () => undefined }
  );
  const logger = createLogger({ service: 'test', level: 'silent', destination: 'stderr' });
  return listen(createApp({ logger, routers: [router] }), { host: '127.0.0.1', port: 0 });
}

async function* of(...texts: string[]): AsyncGenerator<Uint8Array, undefined> {
  for (const text of texts) yield Buffer.from(text);
}

async function read(...texts: string[]): Promise<ReceivedEvent[]> {
  const events: ReceivedEvent[] = [];
  for await (const event of readEvents(of(...texts))) events.push(event);
  return events;
}

describe('reading events', () => {
  const one = { id: '7', event: 'job', data: '{"a":1}' };
  test.each<[string, string[], ReceivedEvent[]]>([
    ['whole', ['id: 7\nevent: job\ndata: {"a":1}\n\n'], [one]],
    ['in pieces', Array.from('id: 7\nevent: job\ndata: {"a":1}\n\n'), [one]],
    ['with CRLF, cut between the two', ['id: 7\r', '\nevent: job\r\ndata: {"a":1}\r\n\r', '\n'], [one]],
    ['with comments between', [': hello\n\n:\n\nid: 7\n: x\nevent: job\ndata: {"a":1}\n\n:\n\n'], [one]],
    ['of several lines', ['data: a\ndata: b\n\n'], [{ id: undefined, event: 'message', data: 'a\nb' }]],
    ['with an id that stays', ['id: 1\ndata: a\n\ndata: b\n\n'], [{ id: '1', event: 'message', data: 'a' }, { id: '1', event: 'message', data: 'b' }]],
    ['without blank behind the colon', ['data:a\n\n'], [{ id: undefined, event: 'message', data: 'a' }]],
    ['cut off at the end', ['data: a\n\ndata: b\n'], [{ id: undefined, event: 'message', data: 'a' }]],
    ['without data', ['id: 3\n\n'], []]
  ])('works for events %s', async (_, texts, expected) => {
    expect(await read(...texts)).toEqual(expected);
  });

  test('ends for an event that never ends', async () => {
    await expect(read(`data: ${'x'.repeat(2_000_000)}`)).rejects.toMatchObject({ code: 'payload_too_large' });
  });

  test('gives back what was written', async () => {
    expect(await read(formatEvent({ id: '1', event: 'e', data: { text: 'a\n\ndata: b\r\u2028é' } }))).toEqual([
      { id: '1', event: 'e', data: JSON.stringify({ text: 'a\n\ndata: b\r\u2028é' }) }
    ]);
    expect(() => formatEvent({ id: '1\ndata: forged', data: 1 })).toThrow(expect.objectContaining({ code: 'internal' }));
  });
});

test.each([['abc'], ['-1'], ['01'], ['1.5'], ['99999999999999999']])('Last-Event-ID %s is refused', header => {
  expect(() => parseLastEventId(header)).toThrow(expect.objectContaining({ code: 'invalid_cursor' }));
});

describe('an event stream', () => {
  test('says hello before anything happens, and ends when the server closes', async () => {
    let ended = false;
    const server = await serving(async function* (_, signal) {
      await new Promise(resolve => signal.addEventListener('abort', resolve));
      ended = true;
      yield* [];
    });
    const { transport, close } = createTransport();
    const reply = await transport({ method: 'GET', url: `${server.url ?? ''}/v1/events`, headers: {} });
    expect(reply.headers['content-type']).toContain('text/event-stream');
    const body = reply.body[Symbol.asyncIterator]();
    const first = await body.next();
    expect(first.done === true ? '' : Buffer.from(first.value).toString()).toBe(': hello\n\n');
    await server.close(60_000);
    expect((await body.next()).done).toBe(true);
    expect(ended).toBe(true);
    close();
  });

  test('stops its source when the client leaves', async () => {
    let stopped = false;
    const server = await serving(async function* () {
      try {
        for (let n = 1; ; n += 1) yield { id: String(n), data: { n } };
      } finally {
        stopped = true;
      }
    });
    const { transport, close } = createTransport();
    const reply = await transport({ method: 'GET', url: `${server.url ?? ''}/v1/events`, headers: {} });
    for await (const event of readEvents(reply.body)) if (event.id === '500') break;
    await expect.poll(() => stopped).toBe(true);
    close();
    await server.close();
  });
});
