import { once } from 'node:events';
import { chmod, lstat, unlink } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { AppError } from '@cloister/protocol';

export type ListenAddress = { readonly socketPath: string } | { readonly host: string; readonly port: number };

export interface ListenOptions {
  /** Until the whole head of a request must have come. */
  readonly headersMs?: number;
  /** A connection on which nothing moves for so long is closed. Event streams beat faster than this. */
  readonly idleMs?: number;
  /** Takes over connections that ask for another protocol, and ends them before the server closes. Without it they are cut off. */
  readonly upgrade?: UpgradeListener;
}

export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

export interface Listening {
  readonly address: ListenAddress;
  /** Of a TCP server, with the port that the system chose; undefined for a unix socket. */
  readonly url: string | undefined;
  /** Takes no more requests, ends event streams, lets the others finish until the deadline, then cuts them off. */
  readonly close: (deadlineMs?: number) => Promise<void>;
}

/** Linux: sun_path has 108 bytes with the NUL. Longer paths would be cut off silently, and meet somebody else's. */
const MAX_SOCKET_PATH_BYTES = 107;
const DEFAULT_DEADLINE_MS = 5000;

/**
 * Serves an application. A unix socket is for its owner only; put it in a private directory all the same, since
 * between bind and chmod the mode is the umask's. A stale socket is removed, one that answers is not.
 * @throws AppError already_exists where somebody answers at the address
 */
export async function listen(app: RequestListener, address: ListenAddress, options: ListenOptions = {}): Promise<Listening> {
  const { headersMs = 10_000, idleMs = 60_000 } = options;
  // requestTimeout is off, because sealed assets take their time; idle and slow small bodies are cut off elsewhere.
  const server = createServer({ requestTimeout: 0, headersTimeout: headersMs, keepAliveTimeout: 5000 }, app);
  server.setTimeout(idleMs);
  if (options.upgrade !== undefined) server.on('upgrade', options.upgrade);
  const streams = trackEventStreams(server);
  if ('socketPath' in address) await listenOnSocket(server, address.socketPath);
  else await bound(server, () => server.listen({ host: address.host, port: address.port }), `${address.host}:${address.port}`);
  return {
    address,
    url: urlOf(server),
    close: async (deadlineMs = DEFAULT_DEADLINE_MS) => closeServer(server, streams, deadlineMs)
  };
}

async function closeServer(server: Server, streams: ReadonlySet<ServerResponse>, deadlineMs: number): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  for (const stream of streams) {
    if (String(stream.getHeader('content-type')).startsWith('text/event-stream')) stream.end();
  }
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), deadlineMs);
  await closed;
  clearTimeout(timer);
}

function trackEventStreams(server: Server): ReadonlySet<ServerResponse> {
  const open = new Set<ServerResponse>();
  server.on('request', (_request, response) => {
    open.add(response);
    response.once('close', () => open.delete(response));
  });
  return open;
}

async function listenOnSocket(server: Server, path: string): Promise<void> {
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES) {
    throw new AppError('config_invalid', `the socket path is over ${MAX_SOCKET_PATH_BYTES} bytes: ${path}`, {
      hint: 'Choose a state directory with a shorter path.'
    });
  }
  await removeStaleSocket(path);
  await bound(server, () => server.listen(path), path);
  await chmod(path, 0o600);
}

async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket()) throw new AppError('file_exists', `${path} is not a socket`);
  if (await answers(path)) throw inUse(path);
  await unlink(path);
}

/** Whether a process listens at a unix socket. */
export async function answers(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function bound(server: Server, bind: () => void, name: string): Promise<void> {
  try {
    const listening = once(server, 'listening');
    bind();
    await listening;
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    throw code === 'EADDRINUSE' ? inUse(name, cause) : cause;
  }
}

function inUse(name: string, cause?: unknown): AppError {
  return new AppError('already_exists', `somebody listens at ${name} already`, {
    cause,
    hint: 'Stop the other process, or choose another address.'
  });
}

function urlOf(server: Server): string | undefined {
  const address = server.address();
  if (address === null || typeof address === 'string') return undefined;
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
}
