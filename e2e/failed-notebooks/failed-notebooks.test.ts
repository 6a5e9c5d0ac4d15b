import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { verifyReportFile, type OpenedResults } from '@cloister/agent';
import type { JobView } from '@cloister/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { ended, submit } from '../harness/jobs.js';
import { findTexts, readOperatorDatabase, reportsOf } from '../harness/operator-files.js';
import { CANARY, createWorld, type World } from '../harness/world.js';

const BEFORE = [
  'import cloister, os, sys, time\nfrom pathlib import Path\nrows = cloister.path("hospital/measurements").read_text()',
  'Path("outputs").mkdir(exist_ok=True)\nPath("outputs/partial.txt").write_text("as far as it came")\nprint("before", len(rows.splitlines()))'
];
const AFTER = 'print("never reached")';

interface Failing {
  readonly what: string;
  readonly cell: string;
  readonly code: string;
  /** What the analyst's own traceback says. */
  readonly says: string;
  readonly timeoutSeconds?: number;
}

const CASES: readonly Failing[] = [
  { what: 'raises, with a row of the data in its message', cell: 'raise ValueError("found " + rows)', code: 'cell_failed', says: CANARY },
  { what: 'leaves by exit()', cell: 'exit()', code: 'kernel_exited', says: 'kernel_exited' },
  { what: 'ends its process', cell: 'os._exit(3)', code: 'kernel_exited', says: 'kernel_exited' },
  { what: 'is killed', cell: 'os.kill(os.getpid(), 9)', code: 'kernel_killed', says: 'kernel_killed' },
  { what: 'never ends', cell: 'while True: time.sleep(0.1)', code: 'deadline_exceeded', says: 'deadline_exceeded', timeoutSeconds: 6 },
  { what: 'asks for input', cell: 'input("patient id? ")', code: 'input_requested', says: 'input' },
  { what: 'installs packages by magic', cell: '%pip install left-pad', code: 'install_refused', says: 'install' },
  { what: 'installs packages by shell', cell: '!pip install left-pad', code: 'install_refused', says: 'install' }
];

interface Finished {
  readonly view: JobView;
  readonly results: OpenedResults;
}

let world: World;
const finished = new Map<string, Finished>();

beforeAll(async () => {
  world = await createWorld();
  const all = CASES.map(async ({ what, cell, timeoutSeconds }) => {
    const { job } = await submit(world, { cells: [...BEFORE, cell, AFTER], ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }) });
    const view = await ended(world, job, 120_000);
    finished.set(what, { view, results: await world.agent.results(job) });
  });
  await Promise.all(all);
});
afterAll(async () => world.close());

function finishedOf(what: string): Finished {
  const found = finished.get(what);
  if (found === undefined) throw new Error(`${what} did not finish`);
  return found;
}

describe.each(CASES)('a cell that $what', ({ what, code, says }) => {
  test(`ends the job as failed, with ${code}, at its first attempt`, () => {
    expect(finishedOf(what).view).toMatchObject({ state: 'failed', code, attempt: 1 });
    expect(finishedOf(what).results).toMatchObject({ outcome: 'failed', code });
  });

  test('gives the analyst her traceback and what was made before, sealed to her', () => {
    const { results } = finishedOf(what);
    expect(results.files.map(({ kind }) => kind).sort()).toEqual(['file', 'notebook', 'traceback']);
    expect(readFileSync(join(results.folder, 'traceback.txt'), 'utf8')).toContain(says);
    expect(readFileSync(join(results.folder, 'outputs/partial.txt'), 'utf8')).toBe('as far as it came');
    const notebook = readFileSync(join(results.folder, 'analysis.ipynb'), 'utf8');
    expect(notebook).toContain('before 4');
    expect(outputsIn(notebook)).not.toContain('never reached');
  });

  test('has a report that verifies and says that it failed', async () => {
    const { results } = finishedOf(what);
    const { trust, appraisal: policy } = world;
    const { verdict, evidence } = await verifyReportFile(results.report, { trust, policy, now: new Date(), outputs: results.folder });
    expect(verdict).toBe('simulated');
    expect(evidence?.statement.predicate.outcome).toEqual({ status: 'failed', code });
    expect(evidence?.statement.predicate.cells).toEqual({ done: 2, total: 4 });
  });

  test('shows the operator the code and one report', () => {
    const { view } = finishedOf(what);
    expect(readOperatorDatabase(world.home, database => database.job(view.job))).toMatchObject({ state: 'failed', code });
    expect(reportsOf(world.home, view.job)).toEqual(['1-report']);
  });
});

test('of all these failures the operator keeps neither a row, a message nor a line of code', () => {
  const kept = readdirSync(world.home).filter(name => !['agent', 'owners', 'embedded.json'].includes(name)).map(name => join(world.home, name));
  expect(findTexts(kept, [CANARY, 'ValueError', 'Traceback', 'patient id?', 'left-pad', 'as far as it came', 'partial.txt', 'never reached', 'os._exit'])).toEqual([]);
});

/** What ran printed; sources of cells that did not run are in the notebook too. */
function outputsIn(notebook: string): string {
  const Notebook = z.object({ cells: z.array(z.looseObject({ outputs: z.json() })) });
  return JSON.stringify(Notebook.parse(JSON.parse(notebook)).cells.map(cell => cell.outputs));
}
