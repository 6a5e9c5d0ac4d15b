import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { JobState } from '@cloister/protocol';

import type { Bench, Figure, Measurement } from '../figure.js';
import { runJob, type JobRun } from '../job.js';
import { readExecuted, writeNotebook, type ExecutedCell } from '../notebooks.js';
import { compare, takeTurns, type Pair } from '../pairs.js';
import { runPlainNbclient } from '../plain-nbclient.js';
import { timeCommand } from '../processes.js';
import { createSlice, publishNewAsset, sealNewAsset, startSlice, type RunningSlice } from '../slice.js';
import { median } from '../statistics.js';

const PAIRS = 7;

/** The first cell says when it ran, on the one clock of this machine; the others read what two owners released. */
const CELLS = [
  'import time\nprint(time.time())',
  'import cloister\nprint(len(cloister.read_csv("hospital/measurements")))',
  'print(len(cloister.read_csv("registry/outcomes")))'
];
const TABLES = [
  { owner: 'hospital', name: 'measurements' },
  { owner: 'registry', name: 'outcomes' }
] as const;

/** Both sides of one comparison, in milliseconds. */
interface Times {
  readonly firstCell: number;
  readonly total: number;
}

interface OurTimes extends Times {
  readonly firstCellSeen: number;
  readonly stages: Readonly<Record<string, number>>;
}

/** How long an analyst waits for the first cell, and for everything, with the daemon warm. */
export const submitTime: Measurement = {
  ids: ['submit-first-cell', 'submit-first-cell-seen', 'submit-total'],
  run: async bench => {
    const running = await startSlice(bench, await createSlice(bench));
    try {
      const rows = await publishTables(bench, running);
      const notebook = join(await bench.resources.folder('notebook'), 'first-cell.ipynb');
      await writeNotebook(notebook, CELLS);
      // Plain nbclient finds the same tables where mocks lie; our packaging leaves that folder at home.
      await cp(rows.raw, join(notebook, '../mocks'), { recursive: true });
      const sides = { ours: () => timeOurs(bench, running, { notebook, rows }), peer: () => timePlain(bench, { notebook, rows }) };
      bench.say(`submit: 1 pair to warm up, ${PAIRS} pairs`);
      await takeTurns(1, sides);
      return figuresOf(await takeTurns(PAIRS, sides));
    } finally {
      await running.stop();
    }
  }
};

/** The demo's two raw tables, and how many rows a cell must find in them. */
interface Rows {
  readonly raw: string;
  readonly expected: readonly number[];
}

async function publishTables({ root, python, resources }: Bench, running: RunningSlice): Promise<Rows> {
  const data = await resources.folder('tables');
  await timeCommand({ command: python, args: [join(root, 'demo/make_data.py'), data], signal: resources.signal });
  const expected: number[] = [];
  for (const { owner, name } of TABLES) {
    const file = join(data, 'raw', owner, `${name}.csv`);
    await sealNewAsset(running, { owner, name, file, mediaType: 'text/csv', out: join(data, 'sealed', owner) });
    await publishNewAsset(running, root, { owner, name });
    expected.push((await readFile(file, 'utf8')).trimEnd().split('\n').length - 1);
  }
  return { raw: join(data, 'raw'), expected };
}

interface Timed {
  readonly notebook: string;
  readonly rows: Rows;
}

async function timeOurs({ resources }: Bench, running: RunningSlice, { notebook, rows }: Timed): Promise<OurTimes> {
  const into = join(await resources.folder('results'), 'opened');
  const run = await runJob(running, { notebook, into, signal: resources.signal });
  const { pressedAt, cellsSeenAt } = run;
  if (cellsSeenAt === undefined) throw new Error('the analyst was never told of a cell');
  return {
    firstCell: firstCellAt(run.cells, rows) - pressedAt,
    firstCellSeen: cellsSeenAt - pressedAt,
    total: run.openedAt - pressedAt,
    stages: stagesOf(run, cellsSeenAt)
  };
}

async function timePlain(bench: Bench, { notebook, rows }: Timed): Promise<Times> {
  const executed = join(await bench.resources.folder('plain'), 'executed.ipynb');
  const begun = Date.now();
  const seconds = await runPlainNbclient(bench, { notebook, executed });
  return { firstCell: firstCellAt(await readExecuted(executed), rows) - begun, total: seconds * 1000 };
}

/** @throws where the cells did not read the owners' own tables */
function firstCellAt([first, ...readers]: readonly ExecutedCell[], { expected }: Rows): number {
  // What comes before is the banner, where tables lie in the place of mocks.
  const found = readers.map(({ printed }) => Number(printed.trim().split('\n').at(-1)));
  if (first === undefined || JSON.stringify(found) !== JSON.stringify(expected)) throw new Error(`the notebook found tables of ${found.join(' and ')} rows`);
  return Number(first.printed) * 1000;
}

/** Where the time went, as the analyst saw it. */
function stagesOf({ pressedAt, signedAt, acceptedAt, seenAt, openedAt }: JobRun, cellsSeenAt: number): Record<string, number> {
  const at = (state: JobState): number => seenAt.get(state) ?? Number.NaN;
  return {
    'package, seal, ask brokers': signedAt - pressedAt,
    send: acceptedAt - signedAt,
    'to attesting': at('attesting') - acceptedAt,
    'attested, released, to running': at('running') - at('attesting'),
    'open data, start kernel': cellsSeenAt - at('running'),
    run: at('sealing') - cellsSeenAt,
    'seal, report, publish': at('succeeded') - at('sealing'),
    'verify, open': openedAt - at('succeeded')
  };
}

function figuresOf(pairs: readonly Pair<OurTimes, Times>[]): Figure[] {
  const by = (ours: (times: OurTimes) => number, peer: (times: Times) => number): Omit<Figure, 'id' | 'note'> => ({
    ...compare(pairs.map(pair => ({ ours: ours(pair.ours), peer: peer(pair.peer) }))),
    unit: 'ms'
  });
  const names = Object.keys(pairs[0]?.ours.stages ?? {});
  const stages = names.map(name => `${name} ${Math.round(median(pairs.map(({ ours }) => ours.stages[name] ?? Number.NaN)))}`);
  const against = 'plain nbclient from the start of its process, same notebook and tables';
  return [
    { id: 'submit-first-cell', ...by(({ firstCell }) => firstCell, ({ firstCell }) => firstCell), note: `submit to the time that the first cell prints, warm daemon / ${against}` },
    { id: 'submit-first-cell-seen', ...by(({ firstCellSeen }) => firstCellSeen, ({ firstCell }) => firstCell), note: `submit to the event that tells the analyst, sent every 500 ms at most / ${against}, to the first cell` },
    { id: 'submit-total', ...by(({ total }) => total, ({ total }) => total), note: `submit to verified and opened outputs / ${against}, whole run; medians in ms, as seen: ${stages.join('; ')}` }
  ];
}
