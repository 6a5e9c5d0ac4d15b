import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
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

/** The report that the folder is read for, which most often lies in it. */
export interface ReportOfFolder {
  readonly path: string;
  /** SHA-256 of its bytes. */
  readonly digest: Digest;
}

/**
 * Every file of the folder, so that one which the run did not make is seen too; but for hidden ones, such as
 * JupyterLab's checkpoints, which nobody takes for results, the index, and the very report that is verified. Another
 * report beside it is a file that the run did not make.
 * @throws AppError usage where there is no index to go by | payload_too_large
 */
export async function readOpenedFolder(folder: string, report: ReportOfFolder): Promise<OpenedFolder> {
  const index = await readIndex(join(folder, INDEX_NAME));
  const files = new Map<string, Digest>();
  for (const path of await listFiles(folder, '')) {
    const digest = await digestOfFile(join(folder, path));
    if (!isReport({ folder, path, digest }, report)) files.set(path, digest);
  }
  return { index, files };
}

interface FoundFile {
  readonly folder: string;
  /** Below the folder. */
  readonly path: string;
  readonly digest: Digest;
}

/** The report itself, or a copy of its very bytes under a report's name. Nothing below the top is a report's place. */
function isReport({ folder, path, digest }: FoundFile, report: ReportOfFolder): boolean {
  if (path.includes('/') || digest !== report.digest) return false;
  return path.endsWith('.attestation.json') || resolve(folder, path) === resolve(report.path);
}

const MAX_FILES = 20_000;

async function listFiles(folder: string, below: string): Promise<string[]> {
  const paths: string[] = [];
  for (const item of await readdir(join(folder, below), { withFileTypes: true })) {
    const path = below === '' ? item.name : `${below}/${item.name}`;
    if (item.name.startsWith('.') || (below === '' && item.name === INDEX_NAME)) continue;
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
