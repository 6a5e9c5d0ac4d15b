import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, open, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { digestOf, generateIdentity, recipientOf } from '@cloister/protocol';
import { createFile, openToFile, readInLargePieces, sealStream, writeAll } from './index.js';
import { collectBytes, inPieces } from './testing/pieces.js';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cloister-open-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function example(): Promise<{ identity: string; plaintext: Buffer; file: Buffer }> {
  const identity = await generateIdentity();
  const plaintext = randomBytes(200_000);
  const { stream } = await sealStream(inPieces(plaintext, 1 << 16), [await recipientOf(identity)]);
  return { identity, plaintext, file: await collectBytes(stream) };
}

test('the file appears whole, for its owner only, and nothing else is left', async () => {
  const { identity, plaintext, file } = await example();
  const [sealed, destination] = [join(directory, 'sealed'), join(directory, 'table.csv')];
  await writeFile(sealed, file);
  const opened = await openToFile(readInLargePieces(sealed), { identity }, { digest: digestOf(file), size: file.length }, destination);
  expect(opened).toEqual({ plaintextSize: plaintext.length });
  expect((await readFile(destination)).equals(plaintext)).toBe(true);
  expect((await stat(destination)).mode & 0o777).toBe(0o600);
  expect((await readdir(directory)).sort()).toEqual(['sealed', 'table.csv']);
});

test('where the digest is wrong only at the very end, nothing is left', async () => {
  const { identity, file } = await example();
  const opening = openToFile(inPieces(file, 5000), { identity }, { digest: digestOf(new Uint8Array()) }, join(directory, 'table.csv'));
  await expect(opening).rejects.toMatchObject({ code: 'digest_mismatch' });
  expect(await readdir(directory)).toEqual([]);
});

test('a file that exists is never written over, and the source is closed', async () => {
  const { identity, file } = await example();
  const [sealed, destination] = [join(directory, 'sealed'), join(directory, 'table.csv')];
  await writeFile(sealed, file);
  await writeFile(destination, 'precious');
  const source = createReadStream(sealed);
  await expect(openToFile(source, { identity }, {}, destination)).rejects.toMatchObject({ code: 'file_exists' });
  expect(source.destroyed).toBe(true);
  expect(await readFile(destination, 'utf8')).toBe('precious');
});

test('a file that comes into being meanwhile is not written over either', async () => {
  const destination = join(directory, 'raced');
  const creating = createFile(destination, async () => writeFile(destination, 'theirs'));
  await expect(creating).rejects.toMatchObject({ code: 'file_exists' });
  expect(await readFile(destination, 'utf8')).toBe('theirs');
  expect(await readdir(directory)).toEqual(['raced']);
});

test('a full disk is told as storage_full', async () => {
  // The kernel's own full device: every write to it gives ENOSPC.
  const full = await open('/dev/full', 'w');
  try {
    await expect(writeAll(full, inPieces(randomBytes(5000), 1000))).rejects.toMatchObject({ code: 'storage_full' });
  } finally {
    await full.close();
  }
});

test('sealing a source that fails rejects both the stream and what is to be known of it', async () => {
  async function* failing(): AsyncGenerator<Uint8Array, undefined> {
    yield randomBytes(100_000);
    throw new Error('the source broke');
  }
  const { stream, done } = await sealStream(failing(), [await recipientOf(await generateIdentity())]);
  await expect(collectBytes(stream)).rejects.toThrow('the source broke');
  await expect(done).rejects.toThrow('the source broke');
});

test('a reader that gives up early rejects what is to be known, and closes the source', async () => {
  let closed = false;
  async function* endless(): AsyncGenerator<Uint8Array, undefined> {
    try {
      for (;;) yield randomBytes(70_000);
    } finally {
      closed = true;
    }
  }
  const { stream, done } = await sealStream(endless(), [await recipientOf(await generateIdentity())]);
  let read = 0;
  for await (const bytes of stream) {
    read += bytes.length;
    if (read > 300_000) break;
  }
  await expect(done).rejects.toThrow('not read to its end');
  expect(closed).toBe(true);
});
