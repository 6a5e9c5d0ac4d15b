import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { generateIdentity, recipientOf } from '@cloister/protocol';
import { createFile, sealStream, writeAll, type Expected } from '@cloister/sealing';

import type { Bench, Figure, Measurement } from '../figure.js';
import { OpenTime, type OpenTask } from '../open-sealed.js';
import { compare, takeTurns, type Sides } from '../pairs.js';
import { MIB } from '../process-memory.js';
import { timeCommand } from '../processes.js';

const execute = promisify(execFile);
const SIZE = 256 * MIB;
/** So much has the process opened before, where that is what is measured: 3 GiB, as a few large inputs. */
const OPENED_BEFORE = 12;
const CHECKED = 'with size, header and SHA-256 of the sealed file checked';

/** The same sealed file for both sides, with what a descriptor says about it. */
interface SealedFile {
  readonly path: string;
  readonly identityFile: string;
  readonly expected: Required<Expected>;
}

interface Way {
  readonly id: string;
  readonly pairs: number;
  readonly openedBefore: number;
  readonly keeps: boolean;
  readonly note: string;
}

const WAYS: readonly Way[] = [
  { id: 'decrypt-null', pairs: 9, openedBefore: 0, keeps: false, note: `openStream ${CHECKED}, plaintext thrown away, in a fresh process / age -d > /dev/null` },
  { id: 'decrypt-file', pairs: 9, openedBefore: 0, keeps: true, note: `openToFile ${CHECKED}, synced, in a fresh process / age -d -o; in memory, as where a TEE keeps it` },
  { id: 'decrypt-null-later', pairs: 5, openedBefore: OPENED_BEFORE, keeps: false, note: `as decrypt-null, in a process that has opened ${(OPENED_BEFORE * SIZE) / MIB} MiB before / age -d > /dev/null` }
];

/** How fast sealed data is opened, beside the reference tool. Each of our runs has a process of its own, as each of age's has. */
export const decryption: Measurement = {
  ids: WAYS.map(({ id }) => id),
  run: async (bench, wanted) => {
    const file = await sealSample(bench);
    const figures: Figure[] = [];
    for (const way of WAYS.filter(({ id }) => wanted.has(id))) {
      bench.say(`${way.id}: ${way.pairs} pairs`);
      const compared = compare(await takeTurns(way.pairs, inGigabytes(await sidesOf(bench, file, way))));
      figures.push({ id: way.id, ...compared, unit: 'GB/s', note: `${way.note}; ${SIZE / MIB} MiB` });
    }
    return figures;
  }
};

async function sealSample({ resources }: Bench): Promise<SealedFile> {
  const folder = await resources.folder('sealed');
  const identity = await generateIdentity();
  const identityFile = join(folder, 'identity.txt');
  await writeFile(identityFile, `${identity}\n`, { mode: 0o600 });
  const path = join(folder, 'sample.age');
  const sealing = await sealStream(sample(), [await recipientOf(identity)]);
  await createFile(path, handle => writeAll(handle, sealing.stream));
  const { digest, size } = await sealing.done;
  return { path, identityFile, expected: { digest, size, header: sealing.header } };
}

async function* sample(): AsyncGenerator<Uint8Array, undefined> {
  const piece = randomBytes(MIB);
  for (let size = 0; size < SIZE; size += MIB) yield piece;
}

async function sidesOf(bench: Bench, file: SealedFile, { openedBefore, keeps }: Way): Promise<Sides<number, number>> {
  const { path, identityFile, expected } = file;
  const { signal, folder, memoryFolder } = bench.resources;
  const taskFile = join(await folder('task'), 'task.json');
  const opened = join(await memoryFolder('opened'), 'opened');
  const task: OpenTask = {
    path, identityFile, openedBefore, digest: expected.digest, size: expected.size,
    header: Buffer.from(expected.header).toString('base64'),
    ...(keeps ? { destination: opened } : {})
  };
  await writeFile(taskFile, JSON.stringify(task), { mode: 0o600 });
  return {
    ours: async () => {
      await rm(opened, { force: true });
      const { stdout } = await execute(process.execPath, [join(bench.compiled, 'open-sealed.mjs'), taskFile], { signal });
      const { seconds, bytes } = OpenTime.parse(JSON.parse(stdout));
      requireWhole(bytes);
      return seconds;
    },
    peer: async () => {
      await rm(opened, { force: true });
      const output = keeps ? { args: ['-d', '-i', identityFile, '-o', opened, path] } : { args: ['-d', '-i', identityFile, path], stdout: '/dev/null' };
      const seconds = await timeCommand({ command: 'age', ...output, signal });
      if (keeps) requireWhole((await stat(opened)).size);
      return seconds;
    }
  };
}

function requireWhole(size: number): void {
  if (size !== SIZE) throw new Error(`${size} of ${SIZE} bytes were opened`);
}

function inGigabytes({ ours, peer }: Sides<number, number>): Sides<number, number> {
  const rate = (seconds: number): number => SIZE / 1e9 / seconds;
  return { ours: async run => rate(await ours(run)), peer: async run => rate(await peer(run)) };
}
