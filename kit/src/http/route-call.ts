import type { IncomingHttpHeaders } from 'node:http';
import type * as z from 'zod/mini';
import type { Digest, RouteBodyOf, RouteParams, RouteQuery, RouteSpec } from '@cloister/protocol';
import type { ServerEvent } from './events.js';

/** What an authenticator sees: the head of the request. The body has not been read yet. */
export interface AuthRequest {
  readonly route: RouteSpec;
  readonly method: string;
  /** Path and query exactly as they were sent, which is what a proof signs. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly params: unknown;
}

export interface Authenticated<C> {
  readonly caller: C;
  /** What the proof says of the body. The binder holds the body to it, read whole or streamed. */
  readonly bodyDigest?: Digest;
}

/**
 * Says who sent a request, or throws. `undefined`: nobody did, which only routes of auth `optional` accept. It is not
 * asked for routes of auth `none`.
 */
export type Authenticate<C> = (request: AuthRequest) => Promise<Authenticated<C> | undefined>;

export type CallerOf<R extends RouteSpec, C> = R['auth'] extends 'none'
  ? undefined
  : R['auth'] extends 'optional'
    ? C | undefined
    : C;

/** One request, parsed by the route's schemas and authenticated as the route demands. */
export interface RouteCall<R extends RouteSpec, C> {
  readonly params: RouteParams<R>;
  readonly query: RouteQuery<R>;
  /** A streamed body counts for nothing before it ended without an error: size and digest are checked there. */
  readonly body: RouteBodyOf<R>;
  readonly caller: CallerOf<R, C>;
  /** Only the headers that the route lists. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly requestId: string;
  /** Aborted when the client has gone or the service is closing. */
  readonly signal: AbortSignal;
}

/** A reply of application/octet-stream. */
export interface StreamReply {
  readonly body: AsyncIterable<Uint8Array>;
  /** Known sizes become Content-Length, so that a client notices a reply that breaks off. */
  readonly size?: number;
}

/** A reply of text/event-stream. `events` ends when the call's signal is aborted, at the latest then. */
export interface EventReply<T> {
  readonly events: AsyncIterable<ServerEvent<T>>;
}

export type RouteResult<R extends RouteSpec> = R['response'] extends { kind: 'json'; schema: infer S extends z.ZodMiniType }
  ? z.input<S>
  : R['response'] extends { kind: 'events'; schema: infer S extends z.ZodMiniType }
    ? EventReply<z.input<S>>
    : R['response'] extends { kind: 'bytes' }
      ? StreamReply
      : undefined;

export type RouteHandler<R extends RouteSpec, C> = (call: RouteCall<R, C>) => Promise<RouteResult<R>>;

/** One handler a route: a missing one does not compile. */
export type Handlers<T extends Readonly<Record<string, RouteSpec>>, C> = { readonly [K in keyof T]: RouteHandler<T[K], C> };
