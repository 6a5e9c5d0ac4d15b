import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { AppError, collect, parseJson, problemOf, toUtf8, jcs, type RouteSpec } from '@cloister/protocol';

export interface RouteCall {
  readonly params: Readonly<Record<string, string>>;
  /** Parsed by the table's schema, or the bytes of a stream. */
  readonly body: unknown;
  readonly bytes: Uint8Array;
  readonly url: string;
  readonly method: string;
  readonly proof: string | undefined;
}

export interface Binding {
  readonly route: RouteSpec;
  readonly handle: (call: RouteCall) => Promise<unknown>;
}

/** Services of one machine on one unix socket, told apart by Host, their routes those of protocol's tables. */
export interface RouteServer {
  readonly socket: string;
  readonly close: () => Promise<void>;
}

const MAX_BODY = 128 * 1024 * 1024;

export async function serveRoutes(socket: string, services: Readonly<Record<string, readonly Binding[]>>): Promise<RouteServer> {
  const server = createServer((request, response) => {
    answer(services, request, response).catch(() => response.destroy());
  });
  server.listen(socket);
  await once(server, 'listening');
  return { socket, close: () => closed(server) };
}

export async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}

async function answer(services: Readonly<Record<string, readonly Binding[]>>, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const bindings = services[request.headers.host ?? ''] ?? [];
    const found = bindings.map(binding => ({ binding, params: match(binding.route, request) })).find(({ params }) => params !== undefined);
    const bytes = await collect(request, MAX_BODY);
    if (found?.params === undefined) throw new AppError('not_found', 'no such route');
    const { route, handle } = found.binding;
    const result = await handle({
      params: found.params,
      body: bodyOf(route, bytes),
      bytes,
      url: `http://${request.headers.host ?? ''}${request.url ?? ''}`,
      method: request.method ?? '',
      proof: typeof request.headers['cloister-proof'] === 'string' ? request.headers['cloister-proof'] : undefined
    });
    response.writeHead(route.response.status);
    response.end(result === undefined ? undefined : result instanceof Uint8Array ? result : toUtf8(jcs(result)));
  } catch (error) {
    const known = error instanceof AppError ? error : new AppError('internal', 'the fake failed', { cause: error });
    const retryAfter = known.members['retryAfterSeconds'];
    if (typeof retryAfter === 'number') response.setHeader('retry-after', retryAfter);
    response.writeHead(known.status, { 'content-type': 'application/problem+json' });
    response.end(jcs(problemOf(known)));
  }
}

function match(route: RouteSpec, { method, url = '' }: IncomingMessage): Record<string, string> | undefined {
  const pattern = new RegExp(`^${route.path.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`);
  const groups = method === route.method ? pattern.exec(url)?.groups : undefined;
  if (groups === undefined) return method === route.method && pattern.test(url) ? {} : undefined;
  return Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value)]));
}

function bodyOf(route: RouteSpec, bytes: Uint8Array): unknown {
  return route.body.kind === 'json' ? route.body.schema.parse(parseJson(bytes)) : bytes;
}
