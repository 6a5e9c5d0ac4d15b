import type { IncomingMessage, ServerResponse } from 'node:http';

const LINGER_MS = 1000;

/**
 * A reply that comes before the request's body was read whole ends the connection: the rest must not be taken for the
 * next request, and may be a terabyte. For a second it is still read and thrown away, because closing at once makes
 * the kernel reset the connection, and the client would lose the reply.
 */
export function closeAfterReply(request: IncomingMessage, response: ServerResponse): void {
  const { 'content-length': length = '0', 'transfer-encoding': coding } = request.headers;
  const hasBody = coding !== undefined || length !== '0';
  if (!hasBody || request.complete || response.headersSent) return;
  response.setHeader('connection', 'close');
  response.once('finish', () => {
    request.on('error', () => undefined);
    request.resume();
    const timer = setTimeout(() => request.destroy(), LINGER_MS);
    timer.unref();
    request.once('close', () => clearTimeout(timer));
  });
}
