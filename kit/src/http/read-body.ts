import type { IncomingMessage } from 'node:http';
import { AppError, parseJson, type Digest, type Json, type RouteBody } from '@cloister/protocol';
import { createTally } from '@cloister/sealing';

/** A small body must arrive within this time, so that nobody holds a request open byte by byte. */
const SMALL_BODY_MS = 30_000;

/** Refuses by the headers alone what cannot be right, before a byte of the body is read. */
export function assertBodyHead(request: IncomingMessage, body: RouteBody): void {
  const { 'content-encoding': encoding, 'content-length': length } = request.headers;
  const declared = length === undefined ? undefined : Number(length);
  if (body.kind === 'none') {
    if (declared !== undefined && declared > 0) throw new AppError('invalid_request', 'this route takes no body');
    return;
  }
  // A decoder would be a way around the size cap, and a digest would be of other bytes than were sent.
  if (encoding !== undefined) throw new AppError('unsupported_media_type', 'encoded bodies are not taken');
  const type = (request.headers['content-type'] ?? '').toLowerCase().replaceAll(' ', '');
  const fits =
    body.kind === 'json' ? /^application\/json(;charset="?utf-8"?)?$/.test(type) : type === 'application/octet-stream';
  if (!fits) throw new AppError('unsupported_media_type', `send ${body.kind === 'json' ? 'application/json' : 'application/octet-stream'}`);
  if (declared !== undefined && declared > body.maxBytes) throw tooLarge(body.maxBytes);
}

/** Reads a body whole, holds it to the proof's digest, and parses it strictly. */
export async function readJsonBody(request: IncomingMessage, limit: number, promised: Digest | undefined): Promise<Json> {
  return parseJson(await readWhole(request, limit, promised));
}

/** A route without a body gets none, also not a chunked one; a proof then carries the digest of nothing. */
export async function assertNoBody(request: IncomingMessage, promised: Digest | undefined): Promise<void> {
  await readWhole(request, 0, promised);
}

/**
 * A body as it comes. It fails where it grows over `limit`, breaks off, or has another digest than its proof says;
 * the last only at the end, so what was read counts for nothing until then.
 */
export async function* streamBody(
  request: IncomingMessage,
  limit: number,
  promised: Digest | undefined
): AsyncGenerator<Uint8Array, undefined> {
  const tally = createTally();
  try {
    // The iterator must not destroy the request: its socket still has to carry the refusal.
    for await (const piece of request.iterator({ destroyOnReturn: false })) {
      if (!(piece instanceof Uint8Array)) throw new AppError('internal', 'the body was decoded by somebody else');
      tally.add(piece);
      if (tally.size() > limit) throw tooLarge(limit);
      yield piece;
    }
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('invalid_request', 'the body broke off', { cause });
  }
  if (!request.complete) throw new AppError('invalid_request', 'the body broke off');
  if (promised !== undefined && tally.digest() !== promised) {
    throw new AppError('proof_invalid', 'the body is not the one that the proof names');
  }
}

async function readWhole(request: IncomingMessage, limit: number, promised: Digest | undefined): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  const timer = setTimeout(() => request.destroy(), SMALL_BODY_MS);
  try {
    for await (const piece of streamBody(request, limit, promised)) parts.push(piece);
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(parts);
}

function tooLarge(limit: number): AppError {
  return limit === 0
    ? new AppError('invalid_request', 'this route takes no body')
    : new AppError('payload_too_large', `the body is over ${limit} bytes`);
}
