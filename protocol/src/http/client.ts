import { AppError } from '../errors.js';
import { digestOf } from '../bytes/digest.js';
import { jcs } from '../bytes/jcs.js';
import { parseJson } from '../bytes/json.js';
import { concatBytes, toUtf8 } from '../bytes/text.js';
import type { Digest } from '../objects/primitives.js';
import { errorOfProblem } from './problem.js';
import type { RouteBodyOf, RouteParams, RouteQueryInput, RouteReply, RouteSpec } from './route.js';

/** One HTTP request. `url` is absolute; a body that is a stream is sent once. */
export interface TransportRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
}

/** One HTTP reply of any status. The body is to be read, or left by ending its iteration. */
export interface TransportReply {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
}

/** The network, as a port: protocol itself has none. Redirects are replies, never followed. */
export type Transport = (request: TransportRequest) => Promise<TransportReply>;

/** Signs `{ htm, htu, jti, iat, bodyDigest }` for one request; gives the value of `Cloister-Proof`. */
export type Prove = (request: { readonly htm: string; readonly htu: string; readonly bodyDigest: Digest }) => Promise<string>;

/** Which service is called, through what, and as whom. */
export interface ClientDeps {
  readonly transport: Transport;
  /** ServiceUrl of the service. */
  readonly baseUrl: string;
  readonly prove?: Prove;
  /** Added to every request. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The parts of one request, typed by its route. */
export interface CallOptions<R extends RouteSpec> {
  readonly params?: RouteParams<R>;
  readonly query?: RouteQueryInput<R>;
  readonly body?: RouteBodyOf<R>;
  /** For a streamed body: the digest of its bytes, which the proof must carry, and their number. */
  readonly stream?: { readonly digest: Digest; readonly size: number };
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** A service that says more does not mean it, or does not mean well. */
const MAX_RETRY_AFTER_SECONDS = 3600;
const MAX_JSON_REPLY = 64 * 1024 * 1024;
const EMPTY = digestOf(new Uint8Array());

/**
 * Calls one route: builds the request from the table, proves it where a key is given, and parses the reply by
 * the table's schema. A problem document becomes the AppError that it tells of.
 */
export async function callRoute<R extends RouteSpec>(deps: ClientDeps, route: R, options: CallOptions<R>): Promise<RouteReply<R>> {
  const reply = await send(deps, route, options);
  const bytes = await collect(reply.body, MAX_JSON_REPLY);
  if (route.response.kind === 'empty') return undefined as RouteReply<R>; // the table says: no body
  if (route.response.kind === 'bytes') throw new AppError('internal', `${route.id} streams: use openRoute`);
  const parsed = route.response.schema.safeParse(parseJson(bytes));
  if (!parsed.success) throw new AppError('invalid_object', `unexpected reply of ${route.id}`, { cause: parsed.error });
  return parsed.data as RouteReply<R>; // output type of the very schema that parsed it
}

/** Calls a route whose reply is a stream of bytes or events, and hands over the raw stream. */
export async function openRoute<R extends RouteSpec>(deps: ClientDeps, route: R, options: CallOptions<R>): Promise<TransportReply> {
  return send(deps, route, options);
}

async function send<R extends RouteSpec>(deps: ClientDeps, route: R, options: CallOptions<R>): Promise<TransportReply> {
  const url = deps.baseUrl + pathOf(route, options.params) + queryOf(options.query);
  const { body, type, digest, size } = bodyOf(route, options);
  const headers: Record<string, string> = { ...deps.headers, ...options.headers, accept: acceptOf(route) };
  if (type !== undefined) headers['content-type'] = type;
  if (size !== undefined) headers['content-length'] = String(size);
  if (deps.prove !== undefined) headers['cloister-proof'] = await deps.prove({ htm: route.method, htu: url, bodyDigest: digest });
  const reply = await deps.transport({
    method: route.method,
    url,
    headers,
    ...(body === undefined ? {} : { body }),
    ...(options.signal === undefined ? {} : { signal: options.signal })
  });
  if (reply.status === route.response.status) return reply;
  const error = errorOfProblem(reply.status, await collect(reply.body, 1 << 20));
  const retryAfter = reply.headers['retry-after'] ?? '';
  if (!/^[0-9]{1,5}$/.test(retryAfter)) throw error;
  const retryAfterSeconds = Math.min(Number(retryAfter), MAX_RETRY_AFTER_SECONDS);
  throw new AppError(error.code, error.detail, { members: { ...error.members, retryAfterSeconds } });
}

function pathOf<R extends RouteSpec>(route: R, params: RouteParams<R> | undefined): string {
  const values: Readonly<Record<string, unknown>> = { ...params };
  return route.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (typeof value !== 'string' && typeof value !== 'number') throw new AppError('invalid_request', `parameter ${name} is missing`);
    // URL parsers take dot segments away, also encoded ones.
    if (value === '.' || value === '..' || !String(value).isWellFormed()) throw new AppError('invalid_request', `parameter ${name} is not usable`);
    return encodeURIComponent(value);
  });
}

function queryOf(query: unknown): string {
  if (typeof query !== 'object' || query === null) return '';
  const pairs = Object.entries(query).flatMap(([key, value]) =>
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? [[key, String(value)]] : []
  );
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`;
}

interface PreparedBody {
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | undefined;
  readonly type: string | undefined;
  readonly digest: Digest;
  readonly size: number | undefined;
}

function bodyOf<R extends RouteSpec>(route: R, options: CallOptions<R>): PreparedBody {
  const value: unknown = options.body;
  if (route.body.kind === 'none') return { body: undefined, type: undefined, digest: EMPTY, size: undefined };
  if (route.body.kind === 'json') {
    const body = toUtf8(jcs(value));
    return { body, type: 'application/json', digest: digestOf(body), size: body.length };
  }
  if (value instanceof Uint8Array) {
    return { body: value, type: 'application/octet-stream', digest: digestOf(value), size: value.length };
  }
  if (!isByteStream(value) || options.stream === undefined) throw new AppError('invalid_request', 'a stream and its digest are needed');
  return { body: value, type: 'application/octet-stream', ...options.stream };
}

function isByteStream(value: unknown): value is AsyncIterable<Uint8Array> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

function acceptOf(route: RouteSpec): string {
  switch (route.response.kind) {
    case 'events':
      return 'text/event-stream';
    case 'bytes':
      return 'application/octet-stream';
    case 'json':
    case 'empty':
      return 'application/json';
  }
}

/** All bytes of a stream, at most `limit`. @throws AppError payload_too_large */
export async function collect(stream: AsyncIterable<Uint8Array>, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of stream) {
    size += part.length;
    if (size > limit) throw new AppError('payload_too_large', `reply over ${limit} bytes`);
    parts.push(part);
  }
  return concatBytes(...parts);
}
