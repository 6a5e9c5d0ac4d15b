import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';
import type * as z from 'zod/mini';
import { AppError, type RouteSpec } from '@cloister/protocol';
import { parseBy } from '../schema-issues.js';
import { writeEvents, type ServerEvent } from './events.js';

/**
 * Sends a handler's result as the route's response says. Results are parsed like requests: what a schema does not
 * name does not leave the service.
 */
export async function sendReply(
  response: Response,
  route: RouteSpec,
  result: unknown,
  signal: AbortSignal
): Promise<void> {
  const spec = route.response;
  switch (spec.kind) {
    case 'empty':
      response.status(spec.status).end();
      return;
    case 'json': {
      const body = JSON.stringify(checked(spec.schema, result, route));
      response.status(spec.status).setHeader('content-type', 'application/json');
      response.end(body);
      return;
    }
    case 'bytes': {
      if (!isStreamReply(result)) throw new AppError('internal', `${route.id} gave no stream`);
      response.status(spec.status).setHeader('content-type', 'application/octet-stream');
      if (typeof result.size === 'number') response.setHeader('content-length', result.size);
      await pipeline(result.body, response);
      return;
    }
    case 'events':
      if (!isEventReply(result)) throw new AppError('internal', `${route.id} gave no events`);
      await writeEvents(response, checkedEvents(spec.schema, result.events, route), { signal });
  }
}

function checked(schema: z.ZodMiniType, value: unknown, route: RouteSpec): unknown {
  const parsed = parseBy(schema, value);
  if (parsed.ok) return parsed.value;
  throw new AppError('internal', 'the service made a reply that is not as promised', {
    cause: new Error(`${route.id}: ${parsed.problems.join('; ')}`)
  });
}

async function* checkedEvents(
  schema: z.ZodMiniType,
  events: AsyncIterable<ServerEvent<unknown>>,
  route: RouteSpec
): AsyncGenerator<ServerEvent<unknown>, undefined> {
  for await (const event of events) yield { ...event, data: checked(schema, event.data, route) };
}

function isIterable(value: unknown): value is AsyncIterable<never> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

function isStreamReply(value: unknown): value is { body: AsyncIterable<Uint8Array>; size?: unknown } {
  return typeof value === 'object' && value !== null && 'body' in value && isIterable(value.body);
}

function isEventReply(value: unknown): value is { events: AsyncIterable<ServerEvent<unknown>> } {
  return typeof value === 'object' && value !== null && 'events' in value && isIterable(value.events);
}
