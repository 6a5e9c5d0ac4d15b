import { AppError, fromUtf8 } from '@cloister/protocol';
import { readGiven } from '../terminal/read-given.js';

/** Twice what a token may have: what is longer is none, and a check says so of what is a little too long. */
const MAX_BYTES = 64 * 1024;

/**
 * A token from a file or from what is piped in. Never from the command line, which every process of this machine can read.
 * @throws AppError usage | payload_too_large
 */
export async function readTokenText(path: string): Promise<string> {
  if (/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/.test(path) && path.startsWith('eyJ')) {
    throw new AppError('usage', 'a token does not belong into a command line: others on this machine can read it there', { hint: 'Put it into a file and name that, or pipe it in: `… | cloister token verify`.' });
  }
  if (path === '-' && process.stdin.isTTY) throw new AppError('usage', 'no token was given', { hint: 'Name a file, or pipe the token in.' });
  // Editors end files with a line feed; nothing else is taken away.
  return textOf(await readGiven(path, MAX_BYTES)).replace(/\r?\n$/, '');
}

/** Bytes that are no text are no token: the check of its form says so. */
function textOf(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes);
  } catch (cause) {
    if (cause instanceof AppError) return '';
    throw cause;
  }
}
