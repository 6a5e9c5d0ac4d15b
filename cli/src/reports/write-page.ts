import { randomBytes } from 'node:crypto';
import { chmod, link, rename, unlink, writeFile } from 'node:fs/promises';
import { AppError } from '@cloister/protocol';

/**
 * A file for others to read, mode 0644, there whole or not at all.
 * @param replace whether another file of that name gives way
 * @throws AppError file_exists | usage where it cannot be written there
 */
export async function writePage(path: string, text: string, replace: boolean): Promise<void> {
  const partial = `${path}.partial-${randomBytes(8).toString('hex')}`;
  await writeFile(partial, text, { flag: 'wx', mode: 0o644 }).catch((cause: unknown) => {
    throw isFull(cause) ? cause : new AppError('usage', `nothing can be written to ${path}`, { cause, hint: 'Name a file in a folder of yours.' });
  });
  try {
    await chmod(partial, 0o644);
    if (replace) await rename(partial, path);
    else await link(partial, path); // link, not rename: rename would write over a file that came into being meanwhile
  } catch (cause) {
    throw isThere(cause) ? new AppError('file_exists', `${path} is there already`, { cause, hint: 'Choose another name, or give --force.' }) : cause;
  } finally {
    await unlink(partial).catch(() => undefined);
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);
const isThere = (error: unknown): boolean => codeOf(error) === 'EEXIST';
const isFull = (error: unknown): boolean => codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT';
