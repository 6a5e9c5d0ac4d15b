import type { IncomingMessage, ServerResponse } from 'node:http';

const LINGER_MS = 1000;

/**
 * A reply that comes before the request's body was read whole: the rest is read and thrown away for a second, then the
 * connection ends, since it may be a terabyte. Ending it at once would make the kernel reset the connection, and a client
 * that is still writing would lose the reply.
 */
export function lingerAfterReply(request: IncomingMessage, response: ServerResponse): void {
  const { 'content-length': length = '0', 'transfer-encoding': coding } = request.headers;
  const hasBody = coding !== undefined || length !== '0';
  if (!hasBody || request.complete || response.headersSent) return;
  response.once('finish', () => {
    if (request.complete) return;
    const { socket } = request;
    request.on('error', () => undefined);
    request.resume();
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    timer.unref();
    for (const end of ['end', 'close'] as const) request.once(end, () => clearTimeout(timer));
  });
}

const SMALL_BYTES = 256 * 1024;

/**
 * Reads what is left of a small body and throws it away, for a second at most. A proxy that is still writing when the
 * refusal comes and the connection closes reports a broken pipe instead of the refusal.
 */
export async function discardSmallBody(request: IncomingMessage): Promise<void> {
  const length = Number(request.headers['content-length'] ?? '0');
  if (request.complete || request.destroyed || !(length > 0 && length <= SMALL_BYTES)) return;
  await new Promise<void>(resolve => {
    const timer = setTimeout(resolve, LINGER_MS);
    for (const end of ['end', 'close', 'error'] as const) {
      request.once(end, () => {
        clearTimeout(timer);
        resolve();
      });
    }
    request.resume();
  });
}
