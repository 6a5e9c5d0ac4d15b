import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { AppError } from '@cloister/protocol';

/**
 * Sends a request's body, held back by the socket. Where the reply comes before the end (a refusal, most often), the
 * rest is not sent, and the connection ends with the reply: its framing is spent.
 */
export async function sendRequestBody(
  outgoing: ClientRequest,
  body: Uint8Array | AsyncIterable<Uint8Array> | undefined,
  reply: Promise<IncomingMessage>
): Promise<void> {
  if (body === undefined || body instanceof Uint8Array) {
    outgoing.end(body);
    return;
  }
  const exchange = { over: false };
  const over = reply.then(
    incoming => {
      exchange.over = true;
      incoming.once('close', () => {
        if (!outgoing.writableFinished) outgoing.destroy();
      });
    },
    () => {
      exchange.over = true;
    }
  );
  try {
    for await (const piece of body) {
      if (exchange.over) return;
      // An error of the socket ends `reply` too, and is told there.
      if (!outgoing.write(piece)) await Promise.race([once(outgoing, 'drain').catch(() => undefined), over]);
    }
    if (!exchange.over) outgoing.end();
  } catch (cause) {
    // The source failed: without this the server would wait for the rest.
    outgoing.destroy();
    throw cause instanceof AppError ? cause : new AppError('internal', 'the request body could not be read', { cause });
  }
}
