import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import { AppError, problemOf } from '@cloister/protocol';
import type { Logger } from '../logger.js';
import { retryAfterMs } from '../retry.js';
import { lingerAfterReply, discardSmallBody } from './unread-body.js';

/** Nothing here; also what a stranger sees of other people's things. */
export const notFound: RequestHandler = () => {
  throw new AppError('not_found', 'no such address');
};

/**
 * The one place where errors become replies: RFC 9457 problem documents. What we did not foresee is logged with its
 * cause and told as `internal` with the request's id, never with its own text.
 */
export function problemMiddleware(logger: Logger): ErrorRequestHandler {
  // Express knows an error handler by its four parameters, of which this one needs three.
  // eslint-disable-next-line @typescript-eslint/no-unused-vars
  return (error: unknown, request, response, _next) => {
    const told = asAppError(error);
    const requestId = requestIdOf(response);
    if (clientLeft(error, response)) {
      logger.debug({ requestId }, 'the client left before the reply was whole');
      return;
    }
    if (told.status >= 500) logger.error({ requestId, code: told.code, err: error }, 'request failed');
    else logger.debug({ requestId, code: told.code, detail: told.detail }, 'request refused');
    if (response.headersSent) {
      // Half of a reply is out: only breaking off tells the client that it is not whole.
      response.destroy();
      return;
    }
    void discardSmallBody(request).then(() => sendProblem(told, request, response));
  };
}

function sendProblem(told: AppError, request: Request, response: Response): void {
  if (response.destroyed || response.headersSent) return;
  lingerAfterReply(request, response);
  const retryAfter = retryAfterMs(told);
  if (retryAfter > 0) response.setHeader('retry-after', String(Math.ceil(retryAfter / 1000)));
  if (told.status === 401) response.setHeader('www-authenticate', 'Cloister-Proof');
  const body = JSON.stringify(problemOf(told, requestIdOf(response)));
  response.status(told.status).setHeader('content-type', 'application/problem+json');
  response.end(body);
}

export function requestIdOf(response: Response): string {
  const id: unknown = response.getHeader('x-request-id');
  return typeof id === 'string' ? id : '';
}

/** A stream that was cut off by its reader; one whose source failed has another error. */
function clientLeft(error: unknown, response: Response): boolean {
  return response.destroyed && error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';
}

function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  // Express itself refuses addresses that are not percent-encoded UTF-8, with a status of 400.
  if (error instanceof URIError) return new AppError('invalid_request', 'the address is not well encoded', { cause: error });
  return new AppError('internal', 'unexpected failure', { cause: error });
}
