import { copyFile, cp, mkdir, readFile, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { findSandbox, runNotebook, type NotebookInput, type SandboxForm } from '../../../runner/src/notebook/index.js';
import type { Bench, Figure, Measurement } from '../figure.js';
import { executedCells, readExecuted, writeNotebook, type ExecutedCell } from '../notebooks.js';
import { compare, takeTurns } from '../pairs.js';
import { runPlainNbclient } from '../plain-nbclient.js';
import { timeCommand } from '../processes.js';

const TIMEOUT_MS = 300_000;

/** A notebook, ready to be run by both sides. */
interface Case {
  readonly id: string;
  readonly pairs: number;
  readonly notebook: string;
  readonly inputs: readonly NotebookInput[];
  readonly note: string;
}

const TRIVIAL = [
  { cells: 1, pairs: 9 },
  { cells: 100, pairs: 7 },
  { cells: 1000, pairs: 5 }
] as const;

const idOf = (cells: number): string => `notebook-${cells}-cells`;

/** How much longer a notebook takes in the runner's two sandboxes than under nbclient alone. */
export const notebookTime: Measurement = {
  ids: [...TRIVIAL.map(({ cells }) => idOf(cells)), 'notebook-demo'],
  run: async (bench, wanted) => {
    const form = await findSandbox();
    const cases: Case[] = [];
    for (const { cells, pairs } of TRIVIAL) if (wanted.has(idOf(cells))) cases.push(await trivialCase(bench, cells, pairs));
    if (wanted.has('notebook-demo')) cases.push(await demoCase(bench));
    // Caches of the file system are warm for both before the first is timed.
    const [first] = cases;
    if (first !== undefined) await takeTurns(1, sidesOf(bench, form, first));
    const figures: Figure[] = [];
    for (const each of cases) {
      bench.say(`${each.id}: ${each.pairs} pairs`);
      const compared = compare(await takeTurns(each.pairs, sidesOf(bench, form, each)));
      figures.push({ id: each.id, ...compared, unit: 's', note: `wall time in two sandboxes (${form.kind}) / plain nbclient: ${each.note}` });
    }
    return figures;
  }
};

async function trivialCase({ resources }: Bench, cells: number, pairs: number): Promise<Case> {
  const notebook = join(await resources.folder('cells'), 'cells.ipynb');
  await writeNotebook(notebook, Array.from({ length: cells }, (_, at) => `value = ${at}`));
  return { id: idOf(cells), pairs, notebook, inputs: [], note: `trivial cells, from the start of a process to the executed notebook` };
}

/** The demo on the owners' real tables. Plain nbclient finds the same tables where mocks lie. */
async function demoCase({ root, python, resources }: Bench): Promise<Case> {
  const data = await resources.folder('tables');
  await timeCommand({ command: python, args: [join(root, 'demo/make_data.py'), data], signal: resources.signal });
  const workspace = await resources.folder('demo');
  const notebook = join(workspace, 'outcome-model.ipynb');
  await copyFile(join(root, 'demo/outcome-model.ipynb'), notebook);
  await cp(join(data, 'raw'), join(workspace, 'mocks'), { recursive: true });
  const inputs: NotebookInput[] = [];
  for (const owner of await readdir(join(data, 'raw'))) {
    for (const table of await readdir(join(data, 'raw', owner))) {
      inputs.push({ name: `${owner}/${basename(table, '.csv')}`, file: join(data, 'raw', owner, table), mediaType: 'text/csv' });
    }
  }
  return { id: 'notebook-demo', pairs: 7, notebook, inputs, note: 'the demo notebook on the real tables of both owners' };
}

function sidesOf(bench: Bench, form: SandboxForm, each: Case): { ours: () => Promise<number>; peer: () => Promise<number> } {
  return { ours: () => timeOurs(bench, form, each), peer: () => timePlain(bench, each) };
}

async function timeOurs({ root, python, resources }: Bench, form: SandboxForm, { notebook, inputs }: Case): Promise<number> {
  const scratch = await resources.folder('attempt');
  const workspace = join(scratch, 'bundle');
  await mkdir(workspace);
  await copyFile(notebook, join(workspace, basename(notebook)));
  const image = join(root, 'runner/image');
  const begun = performance.now();
  const result = await runNotebook({
    form,
    python,
    driverDir: join(image, 'driver'),
    cloisterModuleDir: join(image, 'python'),
    workspace,
    notebook: basename(notebook),
    inputs,
    scratch: join(scratch, 'run'),
    timeoutMs: TIMEOUT_MS,
    onProgress: () => undefined,
    signal: resources.signal
  });
  const seconds = (performance.now() - begun) / 1000;
  if (result.outcome.status !== 'succeeded') throw new Error(`our run failed: ${JSON.stringify(result.outcome)}`);
  requireExecuted(executedCells(new TextDecoder().decode(result.notebook)), await codeCells(notebook));
  return seconds;
}

async function timePlain(bench: Bench, { notebook }: Case): Promise<number> {
  const executed = join(await bench.resources.folder('plain'), 'executed.ipynb');
  const seconds = await runPlainNbclient(bench, { notebook, executed });
  requireExecuted(await readExecuted(executed), await codeCells(notebook));
  return seconds;
}

async function codeCells(notebook: string): Promise<number> {
  return executedCells(await readFile(notebook, 'utf8')).length;
}

/** A run that left cells out is no run to compare with. */
function requireExecuted(cells: readonly ExecutedCell[], expected: number): void {
  const done = cells.filter(({ executed }) => executed).length;
  if (done !== expected) throw new Error(`${done} of ${expected} cells were executed`);
}
