import { Agent as PlainAgent, request as plainRequest, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError, type Transport, type TransportRequest } from '@cloister/protocol';
import { DEFAULT_PACE, keepPace, type Pace, type PaceLimits } from './pace.js';
import { reasonOf } from './stopping.js';

export interface TransportOptions extends Partial<PaceLimits> {
  /** Unix socket of the one machine's services, which tells them apart by Host. */
  readonly gateway?: string;
  /** Longest silence of a peer. */
  readonly idleMs?: number;
}

const LOCAL_HOST = /^[a-z0-9-]+\.cloister\.localhost$/;
const DEFAULT_IDLE_MS = 60_000;
const MAX_REPLY_HEADERS = 32 * 1024;

/**
 * The runner's only way out: https, and plain http to the gateway's socket. Addresses come from manifests and
 * descriptors, so anybody's plain-http address (a metadata server, a neighbour on the host) is refused before a byte
 * is sent. Redirects are replies. TLS is used and not relied on: what counts is signed or sealed.
 */
export function createTransport({ gateway, idleMs = DEFAULT_IDLE_MS, ...pace }: TransportOptions): Transport {
  const limits = { ...DEFAULT_PACE, ...pace, idleMs };
  const plain = new PlainAgent({ keepAlive: true });
  const tls = new TlsAgent({ keepAlive: true, minVersion: 'TLSv1.2' });
  return async request => {
    const url = new URL(request.url);
    const options = { method: request.method, headers: request.headers, maxHeaderSize: MAX_REPLY_HEADERS };
    if (url.protocol === 'https:') return exchange(tlsRequest(url, { ...options, agent: tls }), request, limits);
    if (gateway === undefined || url.protocol !== 'http:' || !LOCAL_HOST.test(url.hostname)) {
      throw new AppError('unavailable', 'this address is neither https nor served by the gateway of this machine');
    }
    return exchange(plainRequest({ ...throughSocket(gateway, url), ...options, headers: { ...request.headers, host: url.host }, agent: plain }), request, limits);
  };
}

function throughSocket(socketPath: string, url: URL): RequestOptions {
  return { socketPath, path: `${url.pathname}${url.search}` };
}

async function exchange(outgoing: ClientRequest, request: TransportRequest, limits: PaceLimits & { readonly idleMs: number }): ReturnType<Transport> {
  const { signal } = request;
  const stop = (): void => void outgoing.destroy(new Error('stopped'));
  const pace = keepPace(limits, streams(request) ? 'stream' : 'call', () => outgoing.destroy(new Error('too slow')));
  const forget = (): void => {
    pace.stop();
    signal?.removeEventListener('abort', stop);
  };
  signal?.addEventListener('abort', stop, { once: true });
  if (signal?.aborted === true) stop();
  outgoing.setTimeout(limits.idleMs, () => outgoing.destroy(new Error('silent for too long')));
  try {
    const incoming = await reply(outgoing, request.body, pace);
    incoming.once('close', forget);
    return { status: incoming.statusCode ?? 0, headers: headersOf(incoming), body: bodyOf(incoming, pace, signal) };
  } catch (cause) {
    forget();
    throw failure(cause, signal);
  }
}

/** What is as long as a file lasts as long as its size needs; all else is small, and over soon. */
function streams({ body, headers }: TransportRequest): boolean {
  return (body !== undefined && !(body instanceof Uint8Array)) || headers['accept'] === 'application/octet-stream';
}

/** A service may answer, as with 413, before it has read the body: then the answer counts and the rest is not sent. */
async function reply(outgoing: ClientRequest, body: TransportRequest['body'], pace: Pace): Promise<IncomingMessage> {
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve);
    outgoing.on('error', reject);
  });
  if (body === undefined) outgoing.end();
  else if (body instanceof Uint8Array) outgoing.end(body);
  else {
    const sent = pipeline(Readable.from(counted(body, pace), { objectMode: false }), outgoing);
    // Whichever comes first of an answer and a failure to send; a failure after the answer is of no interest.
    return Promise.race([answered, sent.then(() => answered)]);
  }
  return answered;
}

async function* counted(body: AsyncIterable<Uint8Array>, pace: Pace): AsyncGenerator<Uint8Array, undefined> {
  for await (const piece of body) {
    pace.moved(piece.length);
    yield piece;
  }
  return undefined;
}

async function* bodyOf(incoming: IncomingMessage, pace: Pace, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, undefined> {
  try {
    for await (const piece of incoming) {
      if (!(piece instanceof Uint8Array)) continue;
      pace.moved(piece.length);
      yield piece;
    }
  } catch (cause) {
    throw failure(cause, signal);
  }
  return undefined;
}

function failure(cause: unknown, signal: AbortSignal | undefined): AppError {
  if (signal?.aborted === true) return reasonOf(signal);
  // What feeds the body may fail with an error of its own: a full disk stays a full disk.
  return cause instanceof AppError ? cause : new AppError('unavailable', 'the service does not answer', { cause });
}

function headersOf(incoming: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(incoming.headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]]))
  );
}
