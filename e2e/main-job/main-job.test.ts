import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { OpenedResults } from '@cloister/agent';
import { verifyReportFile } from '@cloister/agent';
import { parseJson, type Digest } from '@cloister/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { CHECKOUT, PYTHON } from '../harness/checkout.js';
import { ended, history } from '../harness/jobs.js';
import { filesBelow, findTexts, readOperatorDatabase, reportsOf } from '../harness/operator-files.js';
import { eventually } from '../harness/poll.js';
import { processesOf } from '../harness/processes.js';
import { createWorld, type World } from '../harness/world.js';

const NOTEBOOK = 'outcome-model.ipynb';
const Metrics = z.object({ auc: z.number(), patients: z.number(), mock: z.boolean() });

let world: World;
let workspace: string;
let job: Digest;
let results: OpenedResults;
let realRows: string[];

beforeAll(async () => {
  const data = mkdtempSync('/tmp/cl-data-');
  try {
    execFileSync(PYTHON, [join(CHECKOUT, 'demo/make_data.py'), data]);
    const table = (owner: string, name: string) => ({
      name,
      real: readFileSync(join(data, 'raw', owner, `${name}.csv`), 'utf8'),
      mock: readFileSync(join(data, 'mocks', owner, `${name}.csv`), 'utf8')
    });
    const tables = { hospital: table('hospital', 'measurements'), registry: table('registry', 'outcomes') };
    realRows = [...tables.hospital.real.split('\n').slice(1, 4), ...tables.registry.real.split('\n').slice(1, 4)];
    world = await createWorld({ tables, rules: { hospital: { uses: 20 }, registry: { maxOutputBytes: 5_000_000 } } });
  } finally {
    rmSync(data, { recursive: true });
  }
  workspace = world.newFolder();
  mkdirSync(workspace, { recursive: true });
  copyFileSync(join(CHECKOUT, 'demo', NOTEBOOK), join(workspace, NOTEBOOK));
  const { agent } = world;
  await agent.fetchMocks({ folder: workspace });
  const plan = await agent.plan({ notebook: join(workspace, NOTEBOOK), purpose: 'purpose-in-the-dark' });
  ({ job } = await agent.submit({ plan, draft: await agent.draft(plan) }));
  const view = await ended(world, job);
  expect(view).toMatchObject({ state: 'succeeded', attempt: 1 });
  results = await agent.results(job);
});
afterAll(async () => world.close());

const RUN_OUTSIDE = `
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": sys.argv[2]}}).execute()
for cell in notebook.cells:
    for output in cell.get("outputs", []):
        print(output.get("text", ""), output.get("data", {}).get("text/html", ""))
`;

test('outside, the same notebook runs on the published mocks and says so', () => {
  const outside = join(world.root, 'outside');
  mkdirSync(outside);
  execFileSync('cp', ['-r', join(workspace, 'mocks'), outside]);
  const said = execFileSync(PYTHON, ['-c', RUN_OUTSIDE, join(workspace, NOTEBOOK), outside], {
    env: { PATH: dirname(PYTHON), PYTHONPATH: join(CHECKOUT, 'python'), HOME: outside }, encoding: 'utf8'
  });
  expect(said).toContain('MOCK DATA');
  expect(readMetrics(outside)).toMatchObject({ mock: true, patients: 60 });
});

test('inside it runs on the real tables, and finds what they hold', () => {
  const metrics = readMetrics(results.folder);
  expect(metrics).toMatchObject({ mock: false, patients: 569 });
  expect(metrics.auc).toBeCloseTo(0.995, 2);
  expect(readFileSync(join(results.folder, 'outputs/roc.png')).subarray(1, 4).toString()).toBe('PNG');
});

test('the executed notebook keeps every submitted source, and gains outputs only', () => {
  const sources = (path: string) => readCells(path).map(cell => cell.source);
  expect(sources(join(results.folder, NOTEBOOK))).toEqual(sources(join(workspace, NOTEBOOK)));
  expect(JSON.stringify(readCells(join(results.folder, NOTEBOOK)))).toContain('AUC 0.99');
});

test('the verdict is simulated, with no check that failed, was unknown, or was left out', () => {
  expect(results.verdict).toBe('simulated');
  expect(results.checks.filter(check => check.status !== 'pass')).toEqual([]);
});

test('anyone verifies the report again offline, from files alone', async () => {
  const { trust, appraisal: policy } = world;
  const offline = await verifyReportFile(results.report, { trust, policy, now: new Date(), outputs: results.folder });
  expect(offline.verdict).toBe('simulated');
  expect(offline.checks.find(check => check.id === 'opened_outputs')?.status).toBe('pass');
});

test('the job went forward through every state, once', async () => {
  expect((await history(world, job)).map(({ state }) => state)).toEqual(['queued', 'launching', 'attesting', 'running', 'sealing', 'succeeded']);
  expect(readOperatorDatabase(world.home, database => database.ends(job))).toBe(1);
  expect(reportsOf(world.home, job)).toEqual(['1-report']);
});

test('each ledger records one release, for this job and its analyst', async () => {
  for (const owner of [world.hospital, world.registry]) {
    const releases = await owner.releases(job);
    expect(releases.map(({ attempt, analyst, image }) => ({ attempt, analyst, image }))).toEqual([{ attempt: 1, analyst: world.agent.analyst, image: world.image }]);
  }
});

test('nothing that the operator or the brokers keep holds a row, a line of code, an output or its name', async () => {
  const kept = readdirSync(world.home).filter(name => !['agent', 'owners', 'embedded.json'].includes(name)).map(name => join(world.home, name));
  expect(kept.length).toBeGreaterThan(3);
  const code = ['cross_val_predict', 'patients.drop(columns'];
  const outputs = ['foldAucs', 'metrics.json', 'roc.png', 'AUC 0.99', String(readMetrics(results.folder).auc)];
  expect(findTexts(kept, [...realRows, ...code, ...outputs, NOTEBOOK, 'purpose-in-the-dark'])).toEqual([]);
  // The search itself finds what is there: an asset's public name.
  expect(findTexts(kept, ['measurements'])).not.toEqual([]);
});

test('keys and state are readable by their owner alone', () => {
  const open = ['agent', 'owners', 'brokers', 'server', 'simulator'].flatMap(folder => filesBelow(join(world.home, folder)).map(path => join(world.home, folder, path)));
  expect(open.length).toBeGreaterThan(10);
  expect(open.filter(path => (statSync(path).mode & 0o077) !== 0 && !isBehindPrivateFolder(path))).toEqual([]);
});

test('soon after the end nothing of the job runs, and its scratch is gone', async () => {
  await eventually('end of the instance', () => processesOf(world.root).every(({ pid }) => pid === world.daemon().pid), { within: 30_000, pauseMs: 100 });
  await eventually('removal of the instance', () => filesBelow(join(world.home, 'instances')).length === 0, { within: 30_000, pauseMs: 100 });
});

function isBehindPrivateFolder(path: string): boolean {
  for (let folder = dirname(path); folder.startsWith(world.home); folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o077) === 0) return true;
  }
  return false;
}

function readMetrics(folder: string): z.infer<typeof Metrics> {
  return Metrics.parse(JSON.parse(readFileSync(join(folder, 'outputs/metrics.json'), 'utf8')));
}

function readCells(path: string): { source: string }[] {
  const Source = z.union([z.string(), z.array(z.string())]);
  const Notebook = z.object({ cells: z.array(z.looseObject({ source: Source })) });
  return Notebook.parse(parseJson(readFileSync(path))).cells.map(cell => ({ ...cell, source: [cell.source].flat().join('') }));
}
