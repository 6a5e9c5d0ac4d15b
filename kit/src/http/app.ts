import express, { type Express, type RequestHandler, type Router } from 'express';
import { createId } from '@cloister/protocol';
import type { Logger } from '../logger.js';
import { notFound, problemMiddleware, requestIdOf } from './problem.js';

export interface AppOptions {
  readonly logger: Logger;
  /** Served in this order; whatever none of them takes is 404. */
  readonly routers: readonly Router[];
}

/** An express application with our defaults: no parsers, no ETags, no guessing, problems for errors. */
export function createApp({ logger, routers }: AppOptions): Express {
  const app = express();
  app.disable('x-powered-by').disable('etag').disable('trust proxy').set('query parser', false);
  app.use(replyHeaders, logRequests(logger), ...routers, notFound, problemMiddleware(logger));
  return app;
}

const replyHeaders: RequestHandler = (_request, response, next) => {
  response.setHeader('x-request-id', createId(new Date()));
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('cache-control', 'no-store');
  next();
};

/** One line a request, with the route's id in place of its address: queries and ids of others are not ours to keep. */
function logRequests(logger: Logger): RequestHandler {
  return (request, response, next) => {
    const start = performance.now();
    response.once('close', () => {
      const route: unknown = Reflect.get(response.locals, 'route');
      logger.info(
        {
          requestId: requestIdOf(response),
          method: request.method,
          route: route ?? 'none',
          status: response.statusCode,
          finished: response.writableFinished,
          ms: Math.round(performance.now() - start)
        },
        'request'
      );
    });
    next();
  };
}
