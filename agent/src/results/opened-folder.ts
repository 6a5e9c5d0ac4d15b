import { constants, createReadStream } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { createTally } from '@cloister/sealing';
import { AppError, OutputIndex, parseJcs, type Digest } from '@cloister/protocol';

/** The opened index lies beside the opened files under this name, so that anyone can check them offline. */
export const INDEX_NAME = 'index.json';
const MAX_INDEX_BYTES = 64 * 1024 * 1024;

/** Opened results as they lie on disk, read anew: the index's bytes, and the digest of every file that it lists. */
export interface OpenedFolder {
  readonly index: Uint8Array;
  readonly files: ReadonlyMap<string, Digest>;
}

/**
 * @throws AppError usage where there is no index to go by. Files that are missing are missing in the result; a link in
 *   the place of a file counts as missing too.
 */
export async function readOpenedFolder(folder: string): Promise<OpenedFolder> {
  const index = await readIndex(join(folder, INDEX_NAME));
  const files = new Map<string, Digest>();
  for (const path of pathsOf(index)) {
    const digest = await digestOfFile(join(folder, path));
    if (digest !== undefined) files.set(path, digest);
  }
  return { index, files };
}

/** Paths of an index in canonical form; none of one that is not, which the verification then says. */
function pathsOf(index: Uint8Array): string[] {
  try {
    return OutputIndex.parse(parseJcs(index)).outputs.map(output => output.path);
  } catch {
    return [];
  }
}

async function readIndex(path: string): Promise<Uint8Array> {
  const handle = await openPlain(path);
  if (handle === undefined) {
    throw new AppError('usage', `${path} is missing`, { hint: 'Give the folder that `cloister outputs` made: the opened index lies in it.' });
  }
  try {
    const { size } = await handle.stat();
    if (size > MAX_INDEX_BYTES) throw new AppError('payload_too_large', `${path} is too large for an index`);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

async function digestOfFile(path: string): Promise<Digest | undefined> {
  const handle = await openPlain(path);
  if (handle === undefined) return undefined;
  const tally = createTally();
  // The stream closes the handle.
  for await (const bytes of createReadStream(path, { fd: handle, highWaterMark: 1024 * 1024 })) {
    if (bytes instanceof Uint8Array) tally.add(bytes);
  }
  return tally.digest();
}

async function openPlain(path: string): Promise<FileHandle | undefined> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => undefined);
  if (handle === undefined) return undefined;
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  return undefined;
}
