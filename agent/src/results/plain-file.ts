import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { AppError } from '@cloister/protocol';

/** A plain file, opened; undefined of a link, a pipe, a device, or what cannot be read. A pipe does not make us wait. */
export async function openPlain(path: string): Promise<FileHandle | undefined> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => undefined);
  if (handle === undefined) return undefined;
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  return undefined;
}

/**
 * All of a plain file; undefined where there is none. Its size is known before anything of it is read.
 * @throws AppError payload_too_large
 */
export async function readPlain(path: string, limit: number): Promise<Uint8Array | undefined> {
  const handle = await openPlain(path);
  if (handle === undefined) return undefined;
  try {
    const { size } = await handle.stat();
    if (size > limit) throw new AppError('payload_too_large', `${path} is over ${limit / 1024 / 1024} MiB`, { hint: 'Is it another file? What is asked for here is smaller.' });
    const bytes = Buffer.alloc(size);
    const { bytesRead } = await handle.read(bytes, 0, size, 0);
    return bytes.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
