import { Router, type Request, type Response } from 'express';
import { AppError, type Digest, type RouteSpec } from '@cloister/protocol';
import { parseBy } from '../schema-issues.js';
import { requestIdOf } from './problem.js';
import { assertBodyHead, assertNoBody, readJsonBody, streamBody } from './read-body.js';
import type { Authenticate, Authenticated, Handlers, RouteCall, RouteHandler } from './route-call.js';
import { sendReply } from './send-reply.js';
import { lingerAfterReply } from './unread-body.js';

export interface BindOptions<C> {
  readonly authenticate: Authenticate<C>;
}

type Serve = (request: Request, response: Response) => Promise<void>;

/**
 * Binds a route table to handlers. The table is all that is served: parameters, query and body are parsed strictly by
 * its schemas, who sent a request is settled before its body is read, and a route's other methods answer 405.
 */
export function bindRoutes<T extends Readonly<Record<string, RouteSpec>>, C>(
  routes: T,
  handlers: Handlers<T, C>,
  options: BindOptions<C>
): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const byPath = new Map<string, Map<string, Serve>>();
  const add = <K extends keyof T>(route: T[K], handler: RouteHandler<T[K], C>): void => {
    const methods = byPath.get(route.path) ?? new Map<string, Serve>();
    if (methods.has(route.method)) throw new AppError('internal', `${route.method} ${route.path} is in the table twice`);
    byPath.set(route.path, methods.set(route.method, serve(route, handler, options)));
  };
  for (const key in routes) add<typeof key>(routes[key], handlers[key]);
  for (const [path, methods] of byPath) {
    router.all(path.replace(/\{(\w+)\}/g, ':$1'), async (request, response) => {
      const chosen = methods.get(request.method);
      if (chosen === undefined) {
        response.setHeader('allow', [...methods.keys()].join(', '));
        throw new AppError('method_not_allowed', `${request.method} is not taken here`);
      }
      await chosen(request, response);
    });
  }
  return router;
}

function serve<R extends RouteSpec, C>(route: R, handler: RouteHandler<R, C>, { authenticate }: BindOptions<C>): Serve {
  return async (request, response) => {
    Reflect.set(response.locals, 'route', route.id);
    const params = parsePart('path', route.params, { ...request.params });
    const query = parsePart('query', route.query, queryOf(request.originalUrl));
    assertBodyHead(request, route.body);
    const sender = await senderOf(route, request, params, authenticate);
    const body = await bodyOf(route, request, sender?.bodyDigest);
    const controller = new AbortController();
    response.once('close', () => controller.abort());
    const call: unknown = {
      params,
      query,
      body,
      caller: sender?.caller,
      headers: Object.fromEntries((route.headers ?? []).map(name => [name, request.get(name)])),
      requestId: requestIdOf(response),
      signal: controller.signal
    };
    // Its parts have the output types of the very schemas that parsed them; how they follow from R is beyond the compiler.
    const result = await handler(call as RouteCall<R, C>);
    lingerAfterReply(request, response);
    await sendReply(response, route, result, controller.signal);
  };
}

async function senderOf<C>(
  route: RouteSpec,
  request: Request,
  params: unknown,
  authenticate: Authenticate<C>
): Promise<Authenticated<C> | undefined> {
  if (route.auth === 'none') return undefined;
  const { method, originalUrl: target, headers } = request;
  const sender = await authenticate({ route, method, target, headers, params });
  if (sender === undefined && route.auth !== 'optional') throw new AppError('proof_missing', `${route.id} needs a proof`);
  return sender;
}

async function bodyOf(route: RouteSpec, request: Request, promised: Digest | undefined): Promise<unknown> {
  switch (route.body.kind) {
    case 'none':
      await assertNoBody(request, promised);
      return undefined;
    case 'json':
      return parsePart('body', route.body.schema, await readJsonBody(request, route.body.maxBytes, promised));
    case 'bytes':
      return streamBody(request, route.body.maxBytes, promised);
  }
}

/** By the schema; a part for which the table has none must be empty. */
function parsePart(name: string, schema: RouteSpec['params'], input: unknown): unknown {
  if (schema === undefined) {
    if (typeof input === 'object' && input !== null && Object.keys(input).length > 0) {
      throw new AppError('invalid_request', `this route takes no ${name} parameters`);
    }
    return {};
  }
  const parsed = parseBy(schema, input);
  if (!parsed.ok) throw new AppError('invalid_request', `${name}: ${parsed.problems.join('; ')}`);
  return parsed.value;
}

/** Each name once: of two equal names one reader takes the first, another the last. */
function queryOf(target: string): Record<string, string> {
  const at = target.indexOf('?');
  const pairs = [...new URLSearchParams(at < 0 ? '' : target.slice(at + 1))];
  if (new Set(pairs.map(([name]) => name)).size !== pairs.length) throw new AppError('invalid_request', 'query: a name comes twice');
  return Object.fromEntries(pairs);
}
