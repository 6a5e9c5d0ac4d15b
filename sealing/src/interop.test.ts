import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestFromHex, generateIdentity, openHeader, recipientOf, type Digest } from '@cloister/protocol';
import { openStream, sealStream } from './index.js';
import { collectBytes, inPieces } from './testing/pieces.js';

const run = promisify(execFile);
const SIZES = [0, 1, 65_535, 65_536, 65_537, 131_072, 196_608, 5_000_000];

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cloister-interop-'));
  await run('age', ['--version']).catch((cause: unknown) => {
    throw new Error('these tests need the age tool: apt-get install age', { cause });
  });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe.each(SIZES)('a plaintext of %i bytes', size => {
  const plaintext = randomBytes(size);

  test('sealed here is opened by age, and digests and sizes are those of the files', async () => {
    const identity = await generateIdentity();
    const other = await generateIdentity();
    const sealing = await sealStream(inPieces(plaintext, 100_000), [await recipientOf(other), await recipientOf(identity)]);
    const file = await collectBytes(sealing.stream);
    const sealed = join(directory, `sealed-${size}`);
    const key = join(directory, `key-${size}`);
    await writeFile(sealed, file);
    await writeFile(key, `${identity}\n`, { mode: 0o600 });
    // By standard output: age makes no output file for an empty plaintext.
    const opened = await run('age', ['--decrypt', '--identity', key, sealed], { encoding: 'buffer', maxBuffer: 1 << 24 });

    expect(opened.stdout.equals(plaintext)).toBe(true);
    expect(await sealing.done).toEqual({
      digest: sha256(file),
      size: file.length,
      plaintextDigest: sha256(plaintext),
      plaintextSize: size
    });
  });

  test('sealed by age is opened here, by identity and by file key', async () => {
    const key = join(directory, `age-key-${size}`);
    await run('age-keygen', ['-o', key]);
    const recipient = (await run('age-keygen', ['-y', key])).stdout.trim();
    const [plain, sealed] = [join(directory, `plain-${size}`), join(directory, `by-age-${size}`)];
    await writeFile(plain, plaintext);
    await run('age', ['--encrypt', '--recipient', recipient, '--output', sealed, plain]);
    const identity = /AGE-SECRET-KEY-1\w+/.exec(await readFile(key, 'utf8'))?.[0] ?? '';
    const file = await readFile(sealed);

    const opened = await openStream(inPieces(file, 70_000), { identity }, { digest: sha256(file), size: file.length });
    expect((await collectBytes(opened.plaintext)).equals(plaintext)).toBe(true);

    const fileKey = await openHeader(opened.header, identity);
    const again = await openStream(inPieces(file, 4096), { fileKey }, { header: opened.header });
    expect((await collectBytes(again.plaintext)).equals(plaintext)).toBe(true);
  });
});

function sha256(bytes: Uint8Array): Digest {
  return digestFromHex(createHash('sha256').update(bytes).digest('hex'));
}
