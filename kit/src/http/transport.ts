import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { AppError, type Transport, type TransportReply, type TransportRequest } from '@cloister/protocol';
import { sendRequestBody } from './send-request-body.js';

export interface TransportOptions {
  /** Host, or suffix of hosts (`cloister.localhost` serves `hospital.cloister.localhost` too), to unix socket path. */
  readonly sockets?: Readonly<Record<string, string>>;
  readonly connectMs?: number;
  /** From the request's last byte to the reply's head. */
  readonly headersMs?: number;
  /** Within which some byte must move, either way. */
  readonly idleMs?: number;
}

export interface NodeTransport {
  readonly transport: Transport;
  /** Closes the connections that are kept for later. */
  readonly close: () => void;
}

interface Timeouts {
  readonly connectMs: number;
  readonly headersMs: number;
  readonly idleMs: number;
}

/**
 * The transport port on node:http. Redirects are replies like any other, proxies of the environment are not used, and
 * nothing is decompressed. Bodies stream both ways.
 * It fails with AppError daemon_unreachable for a unix socket, else unavailable; both say that one may try again.
 */
export function createTransport(options: TransportOptions = {}): NodeTransport {
  const { sockets = {}, connectMs = 10_000, headersMs = 120_000, idleMs = 120_000 } = options;
  const timeouts = { connectMs, headersMs, idleMs };
  const plain = new HttpAgent({ keepAlive: true });
  // Said, since NODE_TLS_REJECT_UNAUTHORIZED=0 in somebody's environment would otherwise take it back.
  const secure = new HttpsAgent({ keepAlive: true, rejectUnauthorized: true });
  return {
    transport: async request => {
      const url = new URL(request.url);
      const socketPath = socketFor(sockets, url.hostname);
      const base: RequestOptions = {
        method: request.method,
        headers: { 'accept-encoding': 'identity', ...request.headers, host: url.host },
        path: url.pathname + url.search
      };
      const start = (): ClientRequest => {
        if (socketPath !== undefined) return httpRequest({ ...base, agent: plain, socketPath });
        const host = url.hostname.replace(/^\[|\]$/g, '');
        const target = { ...base, host, ...(url.port === '' ? {} : { port: url.port }) };
        if (url.protocol === 'https:') return httpsRequest({ ...target, agent: secure });
        return httpRequest({ ...target, agent: plain });
      };
      try {
        return await exchange(start, request, timeouts);
      } catch (cause) {
        request.signal?.throwIfAborted();
        throw unreachable(url.host, socketPath, cause);
      }
    },
    close: () => {
      plain.destroy();
      secure.destroy();
    }
  };
}

function socketFor(sockets: Readonly<Record<string, string>>, host: string): string | undefined {
  return Object.entries(sockets).find(([name]) => host === name || host.endsWith(`.${name}`))?.[1];
}

function unreachable(host: string, socketPath: string | undefined, cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  const reason = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : 'failed';
  return new AppError(socketPath === undefined ? 'unavailable' : 'daemon_unreachable', `${host} does not answer: ${reason}`, { cause });
}

async function exchange(start: () => ClientRequest, request: TransportRequest, timeouts: Timeouts): Promise<TransportReply> {
  request.signal?.throwIfAborted();
  const outgoing = start();
  const abort = (): void => {
    outgoing.destroy(new Error('aborted'));
  };
  request.signal?.addEventListener('abort', abort, { once: true });
  outgoing.once('close', () => request.signal?.removeEventListener('abort', abort));
  const reply = replyOf(outgoing, timeouts);
  const sent = sendRequestBody(outgoing, request.body, reply);
  // A body that cannot be sent fails the exchange, unless a reply came: then the reply says why.
  const incoming = await Promise.race([reply, sent.then(() => reply)]);
  return {
    status: incoming.statusCode ?? 0,
    headers: headersOf(incoming),
    body: bodyOf(incoming, request.signal)
  };
}

async function replyOf(outgoing: ClientRequest, { connectMs, headersMs, idleMs }: Timeouts): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    let timer = setTimeout(() => outgoing.destroy(timedOut('connect')), connectMs);
    outgoing.once('socket', socket => {
      // An idle limit on the socket also covers a body that stalls, in either direction.
      socket.setTimeout(idleMs);
      const stalled = (): void => {
        outgoing.destroy(timedOut('idle'));
      };
      socket.once('timeout', stalled);
      // The socket outlives the request: it is kept for the next one.
      outgoing.once('close', () => socket.off('timeout', stalled));
      if (socket.connecting) socket.once('connect', () => clearTimeout(timer));
      else clearTimeout(timer);
    });
    outgoing.once('finish', () => {
      clearTimeout(timer);
      timer = setTimeout(() => outgoing.destroy(timedOut('headers')), headersMs);
    });
    outgoing.once('response', response => {
      clearTimeout(timer);
      resolve(response);
    });
    outgoing.on('error', error => {
      clearTimeout(timer);
      reject(error);
    });
    outgoing.once('close', () => {
      clearTimeout(timer);
      reject(timedOut('closed'));
    });
  });
}

function timedOut(phase: string): Error {
  return Object.assign(new Error(`no answer: ${phase}`), { code: 'ETIMEDOUT' });
}

function headersOf(incoming: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(incoming.headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]]
    )
  );
}

/** The reply's bytes; a reply that breaks off is an error, never a short body. */
async function* bodyOf(incoming: IncomingMessage, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, undefined> {
  try {
    for await (const piece of incoming) {
      if (piece instanceof Uint8Array) yield piece;
    }
  } catch (cause) {
    signal?.throwIfAborted();
    throw new AppError('unavailable', 'the reply broke off', { cause });
  }
  if (!incoming.complete) throw new AppError('unavailable', 'the reply broke off');
}
