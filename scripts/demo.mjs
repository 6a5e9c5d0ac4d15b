// `npm run demo`: sets up what is missing, then does and shows what a user would type. Its last line is one JSON object.
import { spawn } from 'node:child_process';
import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import { cloisterCommand } from './demo/command.mjs';
import { ensureDemoState } from './demo/state.mjs';
import { followTimeline } from './demo/timeline.mjs';
import { setUp } from './setup.mjs';
import { createProgress, seconds } from './setup/progress.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const home = process.env.CLOISTER_HOME ?? join(ROOT, '.cloister');
const cloister = cloisterCommand({ root: ROOT, home });
const NOTEBOOK = 'demo/outcome-model.ipynb';

async function shown(...args) {
  process.stdout.write(`\n$ cloister ${args.join(' ')}\n`);
  return cloister(args, { show: true });
}

async function demo() {
  await setUp();
  const progress = createProgress({ quiet: true });
  await progress.step('demo data', async report => {
    const changed = await ensureDemoState({ root: ROOT, home, cloister, report });
    return { changed, detail: changed ? 'two owners, two sealed tables, two policies' : 'ready' };
  });

  const begun = performance.now();
  process.stdout.write(`\n$ cloister submit ${NOTEBOOK} --wait\n`);
  let timeline;
  const submitted = await cloister(['submit', NOTEBOOK, '--wait'], {
    show: true,
    onOutput: out => {
      const job = /sha256:[0-9a-f]{64}/.exec(out.slice(out.lastIndexOf('Job  ')))?.[0];
      if (job !== undefined && out.includes('Job  ')) timeline ??= followTimeline({ root: ROOT, home, job, begun });
    }
  });
  if (timeline === undefined) throw new Error('The job was not submitted: the lines above say why.');
  const { job, events } = await timeline;
  // By its id, never `latest`: the state directory may hold other jobs of the same person.
  const id = job.slice('sha256:'.length, 'sha256:'.length + 8);
  await shown('jobs', '--limit', '5');
  await shown('show', id);
  if (submitted.code !== 0) throw new Error('The job did not succeed: the lines above say why.');
  process.stdout.write(`\n$ cloister outputs ${id}\n`);
  const opened = await cloister(['outputs', id]);
  if (opened.folder === undefined) throw new Error(`No outputs: ${opened.detail ?? opened.hint ?? `see cloister show ${id}`}`);
  for (const file of [...opened.files.map(({ path }) => path), opened.report.slice(opened.folder.length + 1)]) {
    process.stdout.write(`  ${relative(ROOT, opened.folder)}/${file}\n`);
  }
  const verified = await shown('verify', relative(ROOT, opened.report), '--outputs', relative(ROOT, opened.folder));
  const totalMs = Math.round(performance.now() - begun);
  printTimeline(events, totalMs);
  const result = summary({ submitted, opened, verified, events, totalMs });
  await printPoint(result);
  return result;
}

/** What it was all for, before the JSON line that scripts read. */
async function printPoint({ auc, report, outputs, verdict }) {
  const mock = await aucOnMocks();
  process.stdout.write(`On the mocks   AUC ${mock.toFixed(2)}: there is nothing in them to find\n`);
  process.stdout.write(`On real data   AUC ${auc.toFixed(3)}: computed where neither you nor the operator could look\n`);
  process.stdout.write(`Figure         ${outputs}/outputs/roc.png\n`);
  process.stdout.write(`Report         ${report}: ${verdict}, since no TEE hardware was there\n`);
  process.stdout.write(`Next           change ${NOTEBOOK}, submit it again; your own table: README, "Your own data"\n\n`);
}

/** The same notebook in an ordinary kernel, in a private copy, so that nothing of it is left in the workspace. */
async function aucOnMocks() {
  const folder = mkdtempSync(join(tmpdir(), 'cloister-mocks-'));
  try {
    cpSync(join(ROOT, 'demo/mocks'), join(folder, 'mocks'), { recursive: true });
    copyFileSync(join(ROOT, NOTEBOOK), join(folder, 'notebook.ipynb'));
    await run(join(ROOT, '.venv/bin/jupyter'), ['execute', 'notebook.ipynb'], folder);
    return JSON.parse(readFileSync(join(folder, 'outputs/metrics.json'), 'utf8')).auc;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(command, args, cwd) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
    let problems = '';
    child.stderr.on('data', chunk => (problems += chunk));
    child.on('error', reject);
    child.on('close', code => (code === 0 ? resolve() : reject(new Error(`${args.join(' ')}: ${problems.trim().slice(-500)}`))));
  });
}

function printTimeline(events, totalMs) {
  process.stdout.write('\nTimeline\n');
  for (const { at, what } of events) process.stdout.write(`  ${seconds(at).padStart(8)}  ${what}\n`);
  process.stdout.write(`  ${seconds(totalMs).padStart(8)}  outputs verified and opened\n\n`);
}

/** All of it is as it should be, or the demo failed: there is no other word for it. */
function summary({ submitted, opened, verified, events, totalMs }) {
  const metrics = JSON.parse(readFileSync(join(opened.folder, 'outputs/metrics.json'), 'utf8'));
  const at = name => events.find(event => event.name === name)?.at ?? null;
  const timings = {
    submitToFirstCellMs: at('first-cell'),
    executeMs: at('running') === null || at('sealing') === null ? null : Math.round(at('sealing') - at('running')),
    totalMs
  };
  const good =
    submitted.code === 0 &&
    verified.code === 3 &&
    opened.verdict === 'simulated' &&
    opened.outcome === 'succeeded' &&
    metrics.mock === false &&
    metrics.auc > 0.95 &&
    Object.values(opened.checks).every(status => status === 'pass') &&
    Object.values(timings).every(value => value !== null);
  return {
    status: good ? 'ok' : 'failed',
    auc: metrics.auc,
    verdict: opened.verdict,
    checks: opened.checks,
    report: relative(ROOT, opened.report),
    outputs: relative(ROOT, opened.folder),
    timings
  };
}

try {
  const result = await demo();
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exitCode = result.status === 'ok' ? 0 : 1;
} catch (error) {
  const remedy = error.remedy === undefined ? '' : `\n${error.remedy.replace(/^/gm, '  ')}\n`;
  process.stderr.write(`\n${error.message}\n${remedy}`);
  process.stdout.write(`${JSON.stringify({ status: 'failed', error: error.message })}\n`);
  process.exitCode = 1;
}
