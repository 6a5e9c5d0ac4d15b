import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { AppError } from '@cloister/protocol';

/** One server-sent event (WHATWG HTML, "Server-sent events"). `data` is sent as one line of JSON. */
export interface ServerEvent<T> {
  /** What a client sends back as Last-Event-ID to resume after this event. */
  readonly id?: string;
  readonly event?: string;
  readonly data: T;
}

/** An event as it came over the wire, its data not parsed yet. */
export interface ReceivedEvent {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: string;
}

const HEARTBEAT_MS = 15_000;
const MAX_EVENT_CHARS = 1024 * 1024;

export interface EventStreamOptions {
  readonly signal: AbortSignal;
  readonly heartbeatMs?: number;
}

/**
 * Writes events until they end, the client leaves or the service closes. `: hello` goes out at once, so that a client
 * knows that it is connected before anything happens. A slow client holds back the source, not our memory.
 */
export async function writeEvents(
  response: ServerResponse,
  events: AsyncIterable<ServerEvent<unknown>>,
  { signal, heartbeatMs = HEARTBEAT_MS }: EventStreamOptions
): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' });
  response.write(': hello\n\n');
  const heartbeat = setInterval(() => {
    if (!response.writableEnded && !response.writableNeedDrain) response.write(':\n\n');
  }, heartbeatMs);
  const iterator = events[Symbol.asyncIterator]();
  const gone = new Promise<'gone'>(resolve => {
    if (signal.aborted) resolve('gone');
    signal.addEventListener('abort', () => resolve('gone'), { once: true });
  });
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), gone]);
      if (next === 'gone' || next.done === true || response.writableEnded) break;
      if (!response.write(formatEvent(next.value))) await Promise.race([once(response, 'drain', { signal }).catch(() => 'gone'), gone]);
    }
  } finally {
    clearInterval(heartbeat);
    // Not awaited: a source that waits for its next event answers only then.
    iterator.return?.().catch(() => undefined);
    if (!response.writableEnded) response.end();
  }
}

/** @throws AppError internal for ids and names that would break the framing */
export function formatEvent({ id, event, data }: ServerEvent<unknown>): string {
  for (const field of [id, event]) {
    if (field !== undefined && !/^[\x20-\x7e]{1,256}$/.test(field)) throw new AppError('internal', 'an event id or name is not printable');
  }
  // JSON.stringify escapes line feeds, so the data is always one line.
  return `${id === undefined ? '' : `id: ${id}\n`}${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`;
}

/**
 * The sequence number to resume after, from Last-Event-ID; undefined where there is none.
 * @throws AppError invalid_cursor
 */
export function parseLastEventId(header: string | undefined): number | undefined {
  if (header === undefined || header === '') return undefined;
  if (!/^(0|[1-9][0-9]{0,14})$/.test(header)) throw new AppError('invalid_cursor', 'Last-Event-ID is not one of ours');
  return Number(header);
}

/** Reads events from the bytes of a reply. Comments are skipped, and an event cut off by the end is dropped. */
export async function* readEvents(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ReceivedEvent, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  let id: string | undefined;
  for await (const piece of bytes) {
    rest += decoder.decode(piece, { stream: true });
    // A CR at the very end may be half of a CRLF: it waits for the next piece.
    const blocks = rest.replace(/\r\n|\r(?!$)/g, '\n').split('\n\n');
    rest = blocks.pop() ?? '';
    if (rest.length > MAX_EVENT_CHARS) throw new AppError('payload_too_large', 'an event is over 1 MiB');
    for (const block of blocks) {
      const fields = fieldsOf(block);
      id = fields.id ?? id;
      if (fields.data !== undefined) yield { id, event: fields.event ?? 'message', data: fields.data };
    }
  }
}

function fieldsOf(block: string): { id?: string; event?: string; data?: string } {
  const fields: { id?: string; event?: string; data?: string } = {};
  for (const line of block.split('\n')) {
    const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (name === 'id' && !value.includes('\0')) fields.id = value;
    else if (name === 'event') fields.event = value;
    else if (name === 'data') fields.data = fields.data === undefined ? value : `${fields.data}\n${value}`;
  }
  return fields;
}
