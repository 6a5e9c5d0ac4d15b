import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { CHECKOUT, PYTHON } from '../harness/checkout.js';
import { cloister, type CliEnd } from '../harness/cli.js';
import { findTexts } from '../harness/operator-files.js';
import { endProcessesOf, processesOf } from '../harness/processes.js';

const Milliseconds = z.number().check(z.gt(0));
const LastLine = z.strictObject({
  status: z.string(),
  auc: z.number(),
  verdict: z.string(),
  checks: z.record(z.string(), z.string()),
  report: z.string(),
  outputs: z.string(),
  timings: z.strictObject({ submitToFirstCellMs: Milliseconds, executeMs: Milliseconds, totalMs: Milliseconds })
});
type LastLine = z.infer<typeof LastLine>;

// Short, for sockets, and not the checkout's own state, which belongs to whoever works here.
const root = mkdtempSync('/tmp/cl-');
const home = join(root, 'h');
const made: string[] = [];
let first: CliEnd;
let summary: LastLine;

beforeAll(async () => {
  first = await demo();
  summary = lastLineOf(first);
});
afterAll(async () => {
  await cloister(home, ['stop']);
  await endProcessesOf(root);
  expect(processesOf(root)).toEqual([]);
  for (const folder of [...made, root]) rmSync(folder, { recursive: true, force: true });
});

/** `npm run demo`, over a state directory of its own. */
async function demo(): Promise<CliEnd> {
  const child = spawn(process.execPath, [join(CHECKOUT, 'scripts/demo.mjs')], { cwd: CHECKOUT, env: { ...process.env, CLOISTER_HOME: home }, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (said.stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said.stderr += chunk));
  const code = await new Promise<number>((resolve, reject) => child.once('error', reject).once('close', status => resolve(status ?? -1)));
  return { code, ...said };
}

function lastLineOf({ stdout, stderr }: CliEnd): LastLine {
  const parsed = LastLine.safeParse(JSON.parse(stdout.trim().split('\n').at(-1) ?? 'null'));
  if (!parsed.success) throw new Error(`the demo ended with ${stdout.slice(-2000)}\n${stderr.slice(-2000)}`);
  made.push(join(CHECKOUT, parsed.data.outputs));
  return parsed.data;
}

test('the demo ends with one JSON object that says that all is as it should be, and exit code 0', () => {
  expect(first.code).toBe(0);
  expect(summary).toMatchObject({ status: 'ok', verdict: 'simulated' });
  expect(summary.auc).toBeCloseTo(0.995, 2);
  expect(Object.keys(summary.checks).length).toBeGreaterThan(20);
  expect(Object.entries(summary.checks).filter(([, status]) => status !== 'pass')).toEqual([]);
});

test('report and outputs lie where it says', () => {
  expect(existsSync(join(CHECKOUT, summary.report))).toBe(true);
  expect(readdirSync(join(CHECKOUT, summary.outputs, 'outputs')).sort()).toEqual(['metrics.json', 'roc.png']);
});

test('it shows what a user would type, and a timeline', () => {
  const id = /outcome-model-([0-9a-f]{8})/.exec(summary.outputs)?.[1] ?? 'no id';
  for (const command of ['submit demo/outcome-model.ipynb --wait', 'jobs', `show ${id}`, `outputs ${id}`, `verify ${summary.report}`]) {
    expect(first.stdout).toContain(`$ cloister ${command}`);
  }
  expect(first.stdout).toContain('Timeline');
  expect(first.stdout).toContain('SIMULATED ONLY');
});

test('no real row lies in the workspace or in the state directory', () => {
  const data = join(root, 'data');
  execFileSync(PYTHON, [join(CHECKOUT, 'demo/make_data.py'), data]);
  const rows = ['hospital/measurements', 'registry/outcomes'].flatMap(name => readFileSync(join(data, 'raw', `${name}.csv`), 'utf8').split('\n').slice(1, 4));
  rmSync(data, { recursive: true });
  expect(findTexts([join(CHECKOUT, 'demo'), home], rows)).toEqual([]);
});

test('a second run keeps the owners and their keys, and ends as well', async () => {
  const owners = readFileSync(join(home, 'embedded.json'), 'utf8');
  const second = await demo();
  expect(second.code).toBe(0);
  const again = lastLineOf(second);
  expect(again).toMatchObject({ status: 'ok', verdict: 'simulated', auc: summary.auc });
  expect(again.outputs).not.toBe(summary.outputs);
  expect(readFileSync(join(home, 'embedded.json'), 'utf8')).toBe(owners);
});
