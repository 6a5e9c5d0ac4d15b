import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import { AGENT_API, AGENT_EVENTS_PATH, AgentSubscription, AppError, parseJson, type AgentMessage } from '@cloister/protocol';
import type { Logger, UpgradeListener } from '@cloister/kit';
import type { EventHub } from '../events/event-hub.js';

export interface EventSocketsOptions {
  readonly hub: EventHub;
  /** @throws AppError for whoever may not listen */
  readonly guard: (headers: IncomingHttpHeaders) => void;
  readonly logger: Logger;
  readonly pingMs?: number;
}

export interface EventSockets {
  readonly upgrade: UpgradeListener;
  /** Tells every page that it may connect again, and ends its socket. */
  readonly close: () => void;
}

const MAX_SOCKETS = 64;
const MAX_MESSAGE_BYTES = 4096;
/** What a page has not read yet. One that is so far behind comes back and resumes. */
const MAX_UNREAD_BYTES = 1024 * 1024;
const PING_MS = 20_000;
const SUBSCRIBE_MS = 10_000;
const CLOSE_MS = 500;

/** Close codes of RFC 6455, section 7.4.1. */
const GOING_AWAY = 1001;
const NOT_UNDERSTOOD = 1008;

/**
 * Events for pages. A proxy in front tells of a closed WebSocket at once, where it never tells of a stream that a page
 * left; and sockets do not count among the six requests that a browser has open at a time.
 */
export function createEventSockets({ hub, guard, logger, pingMs = PING_MS }: EventSocketsOptions): EventSockets {
  // Compression would cost memory a socket, and a proxy's own may garble it.
  const server = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false });
  const answered = new WeakSet<WebSocket>();
  const pings = setInterval(() => {
    for (const socket of server.clients) {
      // Who did not answer the last one is gone, whatever its connection says.
      if (!answered.delete(socket)) socket.terminate();
      else socket.ping();
    }
  }, pingMs);
  pings.unref();
  return {
    upgrade: (request, socket, head) => {
      socket.on('error', () => socket.destroy());
      const status = refusalOf(request.url ?? '', () => guard(request.headers), server.clients.size);
      if (status !== undefined) {
        logger.debug({ route: 'events', status }, 'socket refused');
        refuse(socket, status);
        return;
      }
      server.handleUpgrade(request, socket, head, opened => {
        answered.add(opened);
        opened.on('pong', () => answered.add(opened));
        opened.on('error', error => logger.debug({ route: 'events', err: error }, 'socket failed'));
        serve(opened, hub);
      });
    },
    close: () => {
      clearInterval(pings);
      for (const socket of server.clients) {
        socket.close(GOING_AWAY, 'the agent ends');
        setTimeout(() => socket.terminate(), CLOSE_MS).unref();
      }
    }
  };
}

type Refusal = '403 Forbidden' | '503 Service Unavailable';

function refusalOf(url: string, guard: () => void, open: number): Refusal | undefined {
  try {
    guard();
  } catch (error) {
    if (error instanceof AppError) return '403 Forbidden';
    throw error;
  }
  if (url.split('?')[0] !== AGENT_EVENTS_PATH) return '403 Forbidden';
  return open >= MAX_SOCKETS ? '503 Service Unavailable' : undefined;
}

/** Plain, since nothing has been agreed on yet; the connection ends with it. */
function refuse(socket: Duplex, status: Refusal): void {
  socket.end(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`, () => socket.destroy());
}

/** One page: greeted, then subscribed by its one message, then told until either side leaves. */
function serve(socket: WebSocket, hub: EventHub): void {
  const tell = (message: AgentMessage): void => {
    if (socket.readyState !== socket.OPEN) return;
    socket.send(JSON.stringify(message));
    if (socket.bufferedAmount > MAX_UNREAD_BYTES) socket.terminate();
  };
  let leave: (() => void) | undefined;
  const silent = setTimeout(() => socket.close(NOT_UNDERSTOOD, 'no subscription came'), SUBSCRIBE_MS);
  socket.once('close', () => {
    clearTimeout(silent);
    leave?.();
  });
  socket.on('message', data => {
    clearTimeout(silent);
    const subscription = leave === undefined ? parseSubscription(data) : undefined;
    if (subscription === undefined || socket.readyState !== socket.OPEN) socket.close(NOT_UNDERSTOOD, 'one subscription is taken, and nothing else');
    else leave = hub.follow(tell, subscription.resumeAfter);
  });
  tell({ kind: 'hello', api: AGENT_API });
}

function parseSubscription(data: RawData): AgentSubscription | undefined {
  try {
    const bytes = Array.isArray(data) ? Buffer.concat(data) : new Uint8Array(data);
    return AgentSubscription.safeParse(parseJson(bytes)).data;
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}
