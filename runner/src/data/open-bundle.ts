import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  AppError,
  MAX_BUNDLE_BYTES,
  SERVER_ROUTES,
  collect,
  decodeBundle,
  digestOf,
  isCanonicalNotebook,
  openRoute,
  requireBundleAgrees,
  type Bundle,
  type ClientDeps
} from '@cloister/protocol';
import { openStream } from '@cloister/sealing';
import type { Order } from '../order.js';
import { withRetries, type RetryOptions } from '../retry.js';

/** A sealed bundle is larger than the open one by its header and 16 bytes in 64 KiB. */
const MAX_SEALED_BYTES = MAX_BUNDLE_BYTES + 1024 * 1024;

/**
 * Fetches the sealed bundle and opens it with the key of any custodian. Only what the manifest commits to comes out, and
 * only notebooks in the form that approval sees.
 * @throws AppError digest_mismatch | sealed_corrupt | bundle_invalid | notebook_not_canonical
 */
export async function openBundle(server: ClientDeps, order: Order, fileKeys: readonly Uint8Array[], options: RetryOptions): Promise<Bundle> {
  const { code } = order.manifest;
  const sealed = await withRetries(async () => {
    const reply = await openRoute(server, SERVER_ROUTES.getBundle, { params: { digest: code.bundle }, signal: options.signal });
    return collect(reply.body, MAX_SEALED_BYTES);
  }, options);
  if (digestOf(sealed) !== code.bundle) throw new AppError('digest_mismatch', 'the sealed bundle is not the one that the manifest names');
  const bundle = decodeBundle(await openWithAny(sealed, fileKeys));
  requireBundleAgrees(bundle, code);
  requireRunnable(bundle);
  return bundle;
}

/** Two custodians may both have released; one that gave a false key must not stop the other. */
async function openWithAny(sealed: Uint8Array, fileKeys: readonly Uint8Array[]): Promise<Uint8Array> {
  let failure: unknown = new AppError('receipt_rejected', 'no custodian released the key of the code');
  for (const fileKey of fileKeys) {
    try {
      const { plaintext } = await openStream(inOnePiece(sealed), { fileKey }, {});
      return await collect(plaintext, MAX_BUNDLE_BYTES);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

async function* inOnePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array, undefined> {
  yield bytes;
  return undefined;
}

function requireRunnable({ header, files }: Bundle): void {
  if (!isNotebookPath(header.entry)) throw new AppError('bundle_invalid', 'what is to be run is not a notebook');
  for (const [path, content] of files) {
    if (isNotebookPath(path) && !isCanonicalNotebook(content)) {
      throw new AppError('notebook_not_canonical', 'a notebook in the bundle carries what its approval does not see');
    }
  }
}

function isNotebookPath(path: string): boolean {
  return path.toLowerCase().endsWith('.ipynb');
}

/** Lays the files out as the analyst had them. `workspace` is empty and private. */
export async function writeBundle({ files }: Bundle, workspace: string): Promise<void> {
  for (const [path, content] of files) {
    const destination = join(workspace, path);
    try {
      await mkdir(dirname(destination), { recursive: true, mode: 0o700 });
      await writeFile(destination, content, { flag: 'wx', mode: 0o600 });
    } catch (cause) {
      const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
      // One path is a file and also a folder of another.
      if (code === 'EEXIST' || code === 'ENOTDIR') throw new AppError('bundle_invalid', 'two paths of the bundle are in each other’s way', { cause });
      throw cause;
    }
  }
}
