import { AppError } from '../../errors.js';
import type { Json } from '../../bytes/json.js';
import { ATTESTED_OPERATIONS } from './attested.js';
import { BYTE_OPERATIONS } from './bytes.js';
import { OBJECT_OPERATIONS } from './objects.js';
import type { Operation } from './operation.js';
import { SEALING_OPERATIONS } from './sealing.js';

/** By the names that vectors use; protocol/vectors/README.md says what each does. */
export const OPERATIONS: Readonly<Record<string, Operation>> = { ...BYTE_OPERATIONS, ...OBJECT_OPERATIONS, ...SEALING_OPERATIONS, ...ATTESTED_OPERATIONS };

/** What comes of an operation: its value, or the code of the refusal. Any other error is a fault and is thrown. */
export async function runOperation(name: string, input: unknown): Promise<{ ok: Json } | { error: string }> {
  const operation = OPERATIONS[name];
  if (operation === undefined) throw new Error(`no operation ${name}`);
  try {
    return { ok: await operation(input) };
  } catch (error) {
    if (error instanceof AppError) return { error: error.code };
    throw error;
  }
}
