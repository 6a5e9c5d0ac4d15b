import type * as z from 'zod/mini';
import type { ErrorCode } from '../errors.js';

/** What the body of a request is. `maxBytes` is checked while reading, before any parsing. */
export type RouteBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'json'; readonly schema: z.ZodMiniType; readonly maxBytes: number }
  /** application/octet-stream, handed on as a stream; the proof's bodyDigest is checked at its end. */
  | { readonly kind: 'bytes'; readonly maxBytes: number };

/** What a route answers where it does not refuse. Refusals are RFC 9457 problems, on every route. */
export type RouteResponse =
  | { readonly kind: 'empty'; readonly status: 204 | 202 }
  | { readonly kind: 'json'; readonly status: 200 | 201 | 202; readonly schema: z.ZodMiniType }
  | { readonly kind: 'bytes'; readonly status: 200 }
  /** text/event-stream; every event's data is JSON of `schema`. */
  | { readonly kind: 'events'; readonly status: 200; readonly schema: z.ZodMiniType };

/**
 * Who must have signed the request (header `Cloister-Proof`):
 * `none` nobody; `analyst` any analyst whom the service admits; `runner` the key bound to an admitted attempt;
 * `owner` the owner whom the service serves or admits; `local` the proxy secret of the same machine (agent only);
 * `optional` a proof is checked when there is one.
 */
export type RouteAuth = 'none' | 'optional' | 'analyst' | 'runner' | 'owner' | 'local';

/** One route: all that server, client and OpenAPI need to know of it. */
export interface RouteSpec {
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With `{name}` for parameters, as in OpenAPI. Never file names: proxies decode %2F. */
  readonly path: `/${string}`;
  readonly summary: string;
  readonly auth: RouteAuth;
  readonly params?: z.ZodMiniType;
  readonly query?: z.ZodMiniType;
  /** Request headers that matter, lower case, e.g. `idempotency-key`. */
  readonly headers?: readonly string[];
  readonly body: RouteBody;
  readonly response: RouteResponse;
  readonly errors: readonly ErrorCode[];
}

/** Keeps the literal types of a route, so that handlers and clients are typed by the table alone. */
export function defineRoute<const R extends RouteSpec>(route: R): R {
  return route;
}

type Output<S> = S extends z.ZodMiniType ? z.output<S> : never;
type Input<S> = S extends z.ZodMiniType ? z.input<S> : never;

/** Path parameters, parsed. */
export type RouteParams<R extends RouteSpec> = R extends { params: infer S } ? Output<S> : Readonly<Record<string, never>>;
/** Query parameters, parsed. */
export type RouteQuery<R extends RouteSpec> = R extends { query: infer S } ? Output<S> : Readonly<Record<string, never>>;
/** Query parameters as a caller gives them. */
export type RouteQueryInput<R extends RouteSpec> = R extends { query: infer S } ? Input<S> : undefined;
/** The body: parsed JSON, a stream of bytes, or none. */
export type RouteBodyOf<R extends RouteSpec> = R['body'] extends { kind: 'json'; schema: infer S }
  ? Output<S>
  : R['body'] extends { kind: 'bytes' }
    ? AsyncIterable<Uint8Array>
    : undefined;
/** The parsed reply of a JSON route, one event of an event route; undefined where bytes or nothing come. */
export type RouteReply<R extends RouteSpec> = R['response'] extends { kind: 'json' | 'events'; schema: infer S }
  ? Output<S>
  : undefined;
