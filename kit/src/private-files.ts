import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, mkdir, open, rename, unlink, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError } from '@cloister/protocol';
import { createFile, syncDirectory, writeAll } from '@cloister/sealing';

const MAX_PRIVATE_BYTES = 16 * 1024 * 1024;

/** A directory for its owner only; made where it is missing. @throws AppError key_unsafe where others can enter it */
export async function ensurePrivateDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const found = await lstat(path);
  if (!found.isDirectory()) throw new AppError('key_unsafe', `${path} is not a directory`);
  assertOurs(path, found, 'chmod 700 it.');
}

/**
 * That a directory, where it is there, is ours and nobody else can enter it. To be asked before we connect to a socket in
 * it: in a shared place such as /tmp another may have been faster to make one of that name.
 * @throws AppError key_unsafe
 */
export async function requirePrivateDirectory(path: string): Promise<void> {
  const found = await lstat(path).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) return;
  if (!found.isDirectory()) throw new AppError('key_unsafe', `${path} is not a directory`);
  assertOurs(path, found, 'It should be yours, with mode 700. If you did not make it, remove it or ask who did.');
}

/** A new file of mode 0600, on disk when this resolves. @throws AppError file_exists | storage_full */
export async function createPrivateFile(path: string, content: Uint8Array | string): Promise<void> {
  await createFile(path, async handle => writeAll(handle, once(content)));
}

/** Replaces a file, or makes it: readers see the old bytes or the new, also after a crash. Mode 0600. */
export async function replacePrivateFile(path: string, content: Uint8Array | string): Promise<void> {
  const partial = `${path}.partial-${randomBytes(8).toString('hex')}`;
  const handle = await open(partial, 'wx', 0o600);
  try {
    try {
      await writeAll(handle, once(content));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(partial, path);
  } catch (error) {
    await unlink(partial);
    throw error;
  }
  await syncDirectory(dirname(path));
}

/**
 * Reads a file that holds a secret. Links are not followed, and what others can read is refused: it is secret no more.
 * @throws AppError key_missing | key_unsafe
 */
export async function readPrivateFile(path: string): Promise<Buffer> {
  const handle = await openOurs(path);
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw new AppError('key_unsafe', `${path} is not a plain file`);
    assertOurs(path, found, 'chmod 600 it.');
    if (found.size > MAX_PRIVATE_BYTES) throw new AppError('key_unsafe', `${path} is too large for a key file`);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** The same, or undefined where there is no such file. @throws AppError key_unsafe */
export async function readPrivateFileIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readPrivateFile(path);
  } catch (error) {
    if (error instanceof AppError && error.code === 'key_missing') return undefined;
    throw error;
  }
}

async function openOurs(path: string): Promise<FileHandle> {
  try {
    // O_NONBLOCK: a pipe in the place of a key must not make us wait for ever.
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOENT') throw new AppError('key_missing', `${path} is missing`, { cause });
    throw new AppError('key_unsafe', `${path} cannot be opened as a plain file of ours`, { cause });
  }
}

function assertOurs(path: string, found: { readonly mode: number; readonly uid: number }, hint: string): void {
  if ((found.mode & 0o077) !== 0) throw new AppError('key_unsafe', `others can reach ${path}`, { hint });
  if (found.uid !== process.getuid?.()) throw new AppError('key_unsafe', `${path} belongs to somebody else`);
}

async function* once(content: Uint8Array | string): AsyncGenerator<Uint8Array, undefined> {
  yield typeof content === 'string' ? Buffer.from(content) : content;
}
