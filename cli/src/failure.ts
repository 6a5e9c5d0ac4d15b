import { inspect } from 'node:util';
import { AppError, problemOf } from '@cloister/protocol';
import { jsonText } from './terminal/json-text.js';
import { printableLine } from './terminal/printable.js';
import { createStyle } from './terminal/style.js';

export interface FailureOptions {
  readonly debug: boolean;
  readonly colours: boolean;
  readonly json: boolean;
}

/** A failure as a sentence, a hint and a code; never a stack, but for people who asked for it. */
export function reportFailure(error: unknown, { debug, colours, json }: FailureOptions): number {
  const style = createStyle(colours);
  const told = asAppError(error);
  if (json) process.stdout.write(`${jsonText(problemOf(told))}\n`);
  const retry = told.retry ? ' It may work if you try again.' : '';
  process.stderr.write(`${style.bad(`cloister: ${printableLine(told.detail)}`)}\n${printableLine(told.hint)}${retry} ${style.faint(`(${told.code})`)}\n`);
  if (debug) process.stderr.write(`${inspect(error)}\n`);
  return told.code === 'usage' ? 2 : 1;
}

function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT') return new AppError('storage_full', 'there is no space left to write to', { cause: error });
  const detail = code === undefined ? 'something went wrong inside cloister' : `the system said ${code}${pathOf(error)}`;
  return new AppError('internal', detail, { cause: error, hint: 'Set CLOISTER_DEBUG=1 to see where.' });
}

function pathOf(error: unknown): string {
  return error instanceof Error && 'path' in error && typeof error.path === 'string' ? ` for ${error.path}` : '';
}
