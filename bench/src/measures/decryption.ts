import { randomBytes } from 'node:crypto';
import { rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { generateIdentity, recipientOf } from '@cloister/protocol';
import { createFile, openStream, openToFile, readInLargePieces, sealStream, writeAll, type Expected } from '@cloister/sealing';

import type { Bench, Figure, Measurement } from '../figure.js';
import { compare, takeTurns, type Sides } from '../pairs.js';
import { MIB } from '../process-memory.js';
import { timeCommand } from '../processes.js';

const SIZE = 256 * MIB;
const PAIRS = 9;

/** The same sealed file for both sides, with what a descriptor says about it. */
interface SealedFile {
  readonly path: string;
  readonly identity: string;
  readonly identityFile: string;
  readonly expected: Expected;
}

/** How fast sealed data is opened, beside the reference tool. */
export const decryption: Measurement = {
  ids: ['decrypt-null', 'decrypt-file'],
  run: async (bench, wanted) => {
    const file = await sealSample(bench);
    const figures: Figure[] = [];
    if (wanted.has('decrypt-null')) {
      bench.say(`decrypt-null: ${PAIRS} pairs`);
      const compared = compare(await takeTurns(PAIRS, inGigabytes(toNull(bench, file))));
      figures.push({ id: 'decrypt-null', ...compared, unit: 'GB/s', note: `openStream with size, header and SHA-256 of the sealed file checked, plaintext thrown away / age -d > /dev/null; ${SIZE / MIB} MiB` });
    }
    if (wanted.has('decrypt-file')) {
      bench.say(`decrypt-file: ${PAIRS} pairs`);
      const compared = compare(await takeTurns(PAIRS, inGigabytes(await toFile(bench, file))));
      figures.push({ id: 'decrypt-file', ...compared, unit: 'GB/s', note: `openToFile, checked and synced / age -d -o, in memory as where a TEE keeps it; ${SIZE / MIB} MiB` });
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
  return { path, identity, identityFile, expected: { digest, size, header: sealing.header } };
}

async function* sample(): AsyncGenerator<Uint8Array, undefined> {
  const piece = randomBytes(MIB);
  for (let size = 0; size < SIZE; size += MIB) yield piece;
}

function toNull({ resources }: Bench, { path, identity, identityFile, expected }: SealedFile): Sides<number, number> {
  return {
    ours: async () => {
      const begun = performance.now();
      const { plaintext } = await openStream(readInLargePieces(path), { identity }, expected);
      let size = 0;
      for await (const piece of plaintext) size += piece.length;
      requireWhole(size);
      return (performance.now() - begun) / 1000;
    },
    peer: () => timeCommand({ command: 'age', args: ['-d', '-i', identityFile, path], stdout: '/dev/null', signal: resources.signal })
  };
}

async function toFile({ resources }: Bench, { path, identity, identityFile, expected }: SealedFile): Promise<Sides<number, number>> {
  const opened = join(await resources.memoryFolder('opened'), 'opened');
  return {
    ours: async () => {
      await rm(opened, { force: true });
      const begun = performance.now();
      await openToFile(readInLargePieces(path), { identity }, expected, opened);
      const seconds = (performance.now() - begun) / 1000;
      requireWhole((await stat(opened)).size);
      return seconds;
    },
    peer: async () => {
      await rm(opened, { force: true });
      const seconds = await timeCommand({ command: 'age', args: ['-d', '-i', identityFile, '-o', opened, path], signal: resources.signal });
      requireWhole((await stat(opened)).size);
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
