import * as z from 'zod/mini';
import { fromBase64Url } from '../../bytes/base64url.js';
import type { Json } from '../../bytes/json.js';
import { toUtf8 } from '../../bytes/text.js';

/** One thing that an implementation of the protocol does: from a case's input to its value, or an AppError. */
export type Operation = (input: unknown) => Promise<Json>;

export function defineOperation<S extends z.ZodMiniType>(schema: S, run: (input: z.output<S>) => Json | Promise<Json>): Operation {
  return async input => run(schema.parse(input));
}

/** Text as it is, or, where JSON text cannot hold it, `bytes` in base64url. */
export const TextOrBytes = z.union([z.strictObject({ text: z.string() }), z.strictObject({ bytes: z.string() })]);

export const bytesOf = (input: z.output<typeof TextOrBytes>): Uint8Array<ArrayBuffer> => ('text' in input ? toUtf8(input.text) : fromBase64Url(input.bytes));
