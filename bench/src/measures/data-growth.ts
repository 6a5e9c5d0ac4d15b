import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { createFile, writeAll } from '@cloister/sealing';

import type { Bench, Figure, Measurement } from '../figure.js';
import { runJob } from '../job.js';
import { writeNotebook } from '../notebooks.js';
import { compare, takeTurns, type Pair } from '../pairs.js';
import { MIB, forgetPeak, peakDuring, requireMemory } from '../process-memory.js';
import { argumentsOf, descendantsOf } from '../processes.js';
import { SETTLE_MS, createSlice, publishNewAsset, sealNewAsset, startSlice, type RunningSlice } from '../slice.js';
import { median } from '../statistics.js';

const PAIRS = 5;
const LARGE = 1024 * MIB;
const SMALL = MIB;
const NAME = 'recordings';

/** Whether what daemon and runner take depends on how large an owner's data is. */
export const dataGrowth: Measurement = {
  ids: ['daemon-growth-publish', 'daemon-growth-run', 'runner-growth-open'],
  run: measureGrowth
};

/** Bytes above rest, or for the runner in all. */
interface Growth {
  readonly publish: number;
  readonly run: number;
  readonly runnerPeak: number;
}

async function measureGrowth(bench: Bench): Promise<Figure[]> {
  bench.say(`growth: ${PAIRS} pairs of ${LARGE / MIB} MiB and ${SMALL / MIB} MiB`);
  const pairs = await takeTurns(PAIRS, {
    ours: () => publishAndRun(bench, LARGE),
    peer: () => publishAndRun(bench, SMALL)
  });
  const pick = (part: (growth: Growth) => number): Pair<number, number>[] => pairs.map(({ ours, peer }) => ({ ours: part(ours) / MIB, peer: part(peer) / MIB }));
  const than = `the same with ${SMALL / MIB} MiB; a fresh daemon each time`;
  const runner = compare(pick(({ runnerPeak }) => runnerPeak));
  const growths = pairs.map(({ ours, peer }) => (ours.runnerPeak - peer.runnerPeak) / MIB);
  return [
    { id: 'daemon-growth-publish', ...compare(pick(({ publish }) => publish)), limit: 64, unit: 'MiB', note: `peak over rest while an owner uploads ${LARGE / MIB} MiB / ${than}` },
    { id: 'daemon-growth-run', ...compare(pick(({ run }) => run)), limit: 64, unit: 'MiB', note: `peak over rest while a job reads it, from submit to opened outputs / ${than}` },
    { id: 'runner-growth-open', ours: median(growths), limit: 64, unit: 'MiB', runs: growths.length, note: `peak of the runner with ${LARGE / MIB} MiB (${Math.round(runner.ours)} MiB) less that with ${SMALL / MIB} MiB (${Math.round(runner.peer)} MiB)` }
  ];
}

/** An owner publishes, an analyst runs a notebook on it, and the daemon that was fresh before is watched throughout. */
async function publishAndRun(bench: Bench, size: number): Promise<Growth> {
  const folder = await bench.resources.folder('asset');
  const slice = await createSlice(bench);
  const running = await startSlice(bench, slice);
  try {
    const file = join(folder, 'plain');
    await createFile(file, handle => writeAll(handle, randomData(size)));
    await sealNewAsset(running, { owner: 'hospital', name: NAME, file, mediaType: 'application/octet-stream', out: folder });
    await rm(file);
    await delay(SETTLE_MS);
    const rest = requireMemory(running.pid).now;
    forgetPeak(running.pid);
    await publishNewAsset(running, bench.root, { owner: 'hospital', name: NAME });
    const publish = requireMemory(running.pid).peak - rest;
    forgetPeak(running.pid);
    const runnerPeak = await runOn(bench, running, { size, folder });
    return { publish, run: requireMemory(running.pid).peak - rest, runnerPeak };
  } finally {
    await running.stop();
    // Now, not at the end: five large files at once may be more than the disk has room for.
    for (const place of [folder, slice.home]) await rm(place, { recursive: true, force: true });
  }
}

async function runOn({ resources }: Bench, running: RunningSlice, { size, folder }: { readonly size: number; readonly folder: string }): Promise<number> {
  const notebook = join(await resources.folder('notebook'), 'size.ipynb');
  await writeNotebook(notebook, [`import cloister\nprint(cloister.path("hospital/${NAME}").stat().st_size)`]);
  const findRunner = (): number | undefined => descendantsOf(running.pid).find(({ pid }) => isRunner(argumentsOf(pid)))?.pid;
  return peakDuring(findRunner, async () => {
    const { cells } = await runJob(running, { notebook, into: join(folder, 'opened'), signal: resources.signal });
    if (cells[0]?.printed.trim() !== String(size)) throw new Error(`the notebook found ${cells[0]?.printed ?? 'no'} bytes, not ${size}`);
  });
}

const isRunner = ([, script]: readonly string[]): boolean => script === 'runner.mjs';

async function* randomData(size: number): AsyncGenerator<Uint8Array, undefined> {
  const piece = randomBytes(MIB);
  for (let done = 0; done < size; done += piece.length) yield piece;
}
