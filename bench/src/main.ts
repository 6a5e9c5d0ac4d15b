import { join } from 'node:path';

import type { Bench, Figure } from './figure.js';
import { describeMachine, type Machine } from './machine.js';
import { MEASUREMENTS } from './measurements.js';
import { createResources } from './resources.js';
import { selectFigures, type Selected } from './select.js';
import { rounded } from './statistics.js';

/** What `npm run bench` prints. Members are added, never changed. */
interface BenchReport {
  readonly v: 1;
  readonly machine: Machine;
  readonly figures: readonly Figure[];
}

export interface BenchOptions {
  /** The checkout. */
  readonly root: string;
  /** Folder of the programs that were compiled from bench/. */
  readonly compiled: string;
  /** Figures to take; all where there is none. */
  readonly ids: readonly string[];
}

const say = (text: string): void => void process.stderr.write(`${text}\n`);

/** @returns exit code: 0 all figures were taken, 1 some could not be, 2 no such figure, 130 interrupted */
export async function main({ root, compiled, ids }: BenchOptions): Promise<number> {
  const selection = selectFigures(MEASUREMENTS, ids);
  if ('unknown' in selection) {
    say(`No such figure: ${selection.unknown.join(', ')}. There are ${MEASUREMENTS.flatMap(measurement => measurement.ids).join(', ')}.`);
    return 2;
  }
  const resources = createResources(say);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void resources.end().then(() => process.exit(130)));
  }
  const python = join(root, '.venv/bin/python');
  const machine = describeMachine(root, python);
  const { figures, failed } = await takeAll(selection.selected, { root, compiled, python, resources, say });
  await resources.end();
  const report: BenchReport = { v: 1, machine, figures };
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  return failed ? 1 : 0;
}

/** A measurement that fails is told; the others are still worth having. */
async function takeAll(selected: readonly Selected[], bench: Bench): Promise<{ readonly figures: readonly Figure[]; readonly failed: boolean }> {
  const figures: Figure[] = [];
  let failed = false;
  for (const { measurement, wanted } of selected) {
    if (bench.resources.signal.aborted) break;
    try {
      const taken = await measurement.run(bench, wanted);
      figures.push(...taken.filter(({ id }) => wanted.has(id)).map(readable));
    } catch (error) {
      failed = true;
      bench.say(`${[...wanted].join(', ')}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
  }
  return { figures, failed };
}

function readable({ ours, peer, ratio, ...figure }: Figure): Figure {
  const { id, limit, ratioLimit, ...rest } = figure;
  return {
    id,
    ours: rounded(ours),
    ...(peer === undefined ? {} : { peer: rounded(peer) }),
    ...(ratio === undefined ? {} : { ratio: rounded(ratio) }),
    ...(limit === undefined ? {} : { limit }),
    ...(ratioLimit === undefined ? {} : { ratioLimit }),
    ...rest
  };
}
