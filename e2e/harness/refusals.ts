import { AppError } from '@cloister/protocol';

/** The error that a refusal came with. @throws Error where nothing was refused; anything that is no AppError as it is */
export async function refusal(work: Promise<unknown> | (() => Promise<unknown>)): Promise<AppError> {
  try {
    await (typeof work === 'function' ? work() : work);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

/** The stable code of a refusal. */
export async function codeOf(work: Promise<unknown> | (() => Promise<unknown>)): Promise<string> {
  return (await refusal(work)).code;
}

/** Flips one bit of one byte: the smallest lie. */
export function flip(bytes: Uint8Array, at = Math.floor(bytes.length / 2)): Uint8Array {
  const changed = Uint8Array.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}
