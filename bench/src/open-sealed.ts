import { readFile, stat } from 'node:fs/promises';

import { Digest } from '@cloister/protocol';
import { openStream, openToFile, readInLargePieces, type Expected, type OpeningKey } from '@cloister/sealing';
import * as z from 'zod/mini';

/** What a process of its own is to open, and how often it has opened the same before it is timed. */
export const OpenTask = z.strictObject({
  path: z.string(),
  identityFile: z.string(),
  digest: Digest,
  size: z.int(),
  /** base64 */
  header: z.string(),
  /** Left out: the plaintext is thrown away. */
  destination: z.optional(z.string()),
  openedBefore: z.int()
});
export type OpenTask = z.infer<typeof OpenTask>;

/** Seconds of the one opening that counts, and the bytes that came out. */
export const OpenTime = z.strictObject({ seconds: z.number(), bytes: z.int() });

/** Run as a program: the task comes as a file, since how fast a process opens depends on what it did before. */
async function main(taskFile: string | undefined): Promise<void> {
  const task = OpenTask.parse(JSON.parse(await readFile(taskFile ?? '', 'utf8')));
  const key: OpeningKey = { identity: (await readFile(task.identityFile, 'utf8')).trim() };
  const expected: Expected = { digest: task.digest, size: task.size, header: Buffer.from(task.header, 'base64') };
  for (let before = 0; before < task.openedBefore; before += 1) await throwAway(task.path, key, expected);
  const begun = performance.now();
  const bytes = await openOnce(task, key, expected);
  process.stdout.write(JSON.stringify({ seconds: (performance.now() - begun) / 1000, bytes }));
}

async function openOnce({ path, destination }: OpenTask, key: OpeningKey, expected: Expected): Promise<number> {
  if (destination === undefined) return throwAway(path, key, expected);
  await openToFile(readInLargePieces(path), key, expected, destination);
  return (await stat(destination)).size;
}

async function throwAway(path: string, key: OpeningKey, expected: Expected): Promise<number> {
  const { plaintext } = await openStream(readInLargePieces(path), key, expected);
  let bytes = 0;
  for await (const piece of plaintext) bytes += piece.length;
  return bytes;
}

if (process.argv[1]?.endsWith('/open-sealed.mjs') === true) await main(process.argv[2]);
