import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createTally } from '@cloister/sealing';
import { AppError, digestOf, randomBytes, type Digest } from '@cloister/protocol';
import { openPlain, readPlain } from './plain-file.js';

/** The opened index lies beside the opened files under this name, so that anyone can check them offline. */
export const INDEX_NAME = 'index.json';
const MAX_INDEX_BYTES = 64 * 1024 * 1024;

/** Opened results as they lie on disk, read anew: the index's bytes, and the digest of every file that is there. */
export interface OpenedFolder {
  readonly index: Uint8Array;
  readonly files: ReadonlyMap<string, Digest>;
}

/**
 * Every file of the folder, so that one which the run did not make is seen too; but for hidden ones, such as
 * JupyterLab's checkpoints, which nobody takes for results, and the index and the report themselves.
 * @throws AppError usage where there is no index to go by | payload_too_large
 */
export async function readOpenedFolder(folder: string): Promise<OpenedFolder> {
  const index = await readIndex(join(folder, INDEX_NAME));
  const files = new Map<string, Digest>();
  for (const path of await listFiles(folder, '')) files.set(path, await digestOfFile(join(folder, path)));
  return { index, files };
}

const MAX_FILES = 20_000;

async function listFiles(folder: string, below: string): Promise<string[]> {
  const paths: string[] = [];
  for (const item of await readdir(join(folder, below), { withFileTypes: true })) {
    const path = below === '' ? item.name : `${below}/${item.name}`;
    if (item.name.startsWith('.') || (below === '' && (item.name === INDEX_NAME || item.name.endsWith('.attestation.json')))) continue;
    if (item.isDirectory()) paths.push(...(await listFiles(folder, path)));
    else paths.push(path);
    if (paths.length > MAX_FILES) throw new AppError('payload_too_large', `over ${MAX_FILES} files in ${folder}`);
  }
  return paths;
}

async function readIndex(path: string): Promise<Uint8Array> {
  const bytes = await readPlain(path, MAX_INDEX_BYTES);
  if (bytes !== undefined) return bytes;
  throw new AppError('usage', `${path} is missing`, { hint: 'Give the folder that `cloister outputs` made: the opened index lies in it.' });
}

/** Of a link, a device or what cannot be read: a digest that no output can have. */
async function digestOfFile(path: string): Promise<Digest> {
  const handle = await openPlain(path);
  if (handle === undefined) return digestOf(randomBytes(32));
  const tally = createTally();
  // The stream closes the handle.
  for await (const bytes of createReadStream(path, { fd: handle, highWaterMark: 1024 * 1024 })) {
    if (bytes instanceof Uint8Array) tally.add(bytes);
  }
  return tally.digest();
}
