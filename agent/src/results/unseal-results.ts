import { createReadStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createFile, createTally, openStream, writeAll } from '@cloister/sealing';
import { AppError, OutputIndex, openBytes, parseJcs, type Digest } from '@cloister/protocol';
import type { SealedFile } from './download-results.js';
import { INDEX_NAME, type OpenedFolder } from './opened-folder.js';

export interface UnsealedResults extends OpenedFolder {
  readonly listing: OutputIndex;
}

/**
 * Opens verified sealed files into an empty folder. Digests are taken of the very bytes that are written. The index says
 * where files go; it comes out of the enclave, where hostile code ran, so it may not choose freely.
 * @param reserved names that are ours in this folder
 * @throws AppError sealed_for_another | sealed_corrupt | digest_mismatch | output_refused
 */
export async function unsealResults(sealed: ReadonlyMap<string, SealedFile>, identity: string, place: { readonly folder: string; readonly reserved: readonly string[] }): Promise<UnsealedResults> {
  const index = await openIndex(sealed, identity);
  const listing = parseIndex(index);
  assertPlaceable(listing, place.reserved);
  const files = new Map<string, Digest>();
  for (const { subject, path } of listing.outputs) {
    const file = sealed.get(subject);
    if (file === undefined) throw new AppError('output_refused', `the index lists ${subject}, which the statement does not`);
    const target = join(place.folder, path);
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    files.set(path, await openInto(file, identity, target));
  }
  await createFile(join(place.folder, INDEX_NAME), async handle => writeAll(handle, once(index)));
  return { index, files, listing };
}

async function openIndex(sealed: ReadonlyMap<string, SealedFile>, identity: string): Promise<Uint8Array> {
  const file = sealed.get('index');
  if (file === undefined) throw new AppError('output_refused', 'the statement has no index');
  return openBytes(await readFile(file.path), identity);
}

function parseIndex(bytes: Uint8Array): OutputIndex {
  const parsed = OutputIndex.safeParse(parseJcs(bytes));
  if (!parsed.success) throw new AppError('output_refused', 'the index of outputs is not well formed', { cause: parsed.error });
  return parsed.data;
}

/** No hidden name, which nobody would look at and programs obey (`.git/config`). No file in the place of ours, none in the place of another's folder, no two that a file system could take for one. */
function assertPlaceable(listing: OutputIndex, reserved: readonly string[]): void {
  const fold = (path: string): string => path.normalize('NFC').toLowerCase();
  const taken = new Set(reserved.map(fold));
  const folders = new Set<string>();
  for (const { path } of listing.outputs) {
    const folded = fold(path);
    const parents = folded.split('/').slice(0, -1).map((_, at, names) => names.slice(0, at + 1).join('/'));
    if (path.split('/').some(name => name.startsWith('.'))) throw new AppError('output_refused', `the index has a hidden file: ${path}`);
    if (taken.has(folded) || folders.has(folded) || parents.some(parent => taken.has(parent))) {
      throw new AppError('output_refused', `the index puts ${path} where something else is`);
    }
    taken.add(folded);
    for (const parent of parents) folders.add(parent);
  }
}

async function openInto(file: SealedFile, identity: string, target: string): Promise<Digest> {
  const tally = createTally();
  await createFile(target, async handle => {
    const source = createReadStream(file.path, { highWaterMark: 1024 * 1024 });
    const { plaintext } = await openStream(source, { identity }, { digest: file.digest });
    await writeAll(handle, counted(plaintext, tally.add));
  });
  return tally.digest();
}

async function* counted(source: AsyncIterable<Uint8Array>, add: (bytes: Uint8Array) => void): AsyncGenerator<Uint8Array, undefined> {
  for await (const bytes of source) {
    add(bytes);
    yield bytes;
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, undefined> {
  yield bytes;
}
