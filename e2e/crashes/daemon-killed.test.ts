import { APPROVAL, BROKER_ROUTES, TERMINAL_STATES, callRoute, signObject, type Digest, type JobState } from '@cloister/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ended, submit, type Submission } from '../harness/jobs.js';
import { openOperatorDatabase, readOperatorDatabase, reportsOf } from '../harness/operator-files.js';
import { slowCells } from '../harness/notebooks.js';
import { processesOf } from '../harness/processes.js';
import { eventually, until } from '../harness/poll.js';
import { createWorld, type World } from '../harness/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(async () => world.close());

const LARGE_OUTPUT: Submission = {
  cells: [
    'import cloister, os\nfrom pathlib import Path\nrows = cloister.path("hospital/measurements").read_text()',
    'Path("outputs").mkdir(exist_ok=True)\nPath("outputs/large.bin").write_bytes(os.urandom(48 << 20))\nprint(len(rows))'
  ]
};

/** Kills the daemon while the job is in this very state. False where the job was faster; then the daemon was not killed. */
async function killAt(job: Digest, state: JobState): Promise<boolean> {
  const database = openOperatorDatabase(world.home);
  try {
    const reached = await until(state, () => {
      const now = database.job(job)?.state;
      return now === state || now === undefined || isAfter(now, state) ? now : undefined;
    }, { pauseMs: 1 });
    if (reached !== state) return false;
    await world.daemon().kill();
    if (database.job(job)?.state === state) return true;
    await world.restart();
    return false;
  } finally {
    database.close();
  }
}

const ORDER: readonly JobState[] = ['queued', 'waiting', 'launching', 'attesting', 'running', 'sealing'];
const isAfter = (now: JobState, wanted: JobState): boolean => TERMINAL_STATES.has(now) || ORDER.indexOf(now) > ORDER.indexOf(wanted);

/** Submits until a kill hits the state: how long each lasts is not in our hands. */
async function submitAndKillAt(state: JobState, submission: Submission): Promise<Digest> {
  for (let tries = 0; tries < 5; tries += 1) {
    const { job } = await submit(world, submission);
    if (await killAt(job, state)) return job;
    await ended(world, job);
  }
  throw new Error(`no kill hit ${state}`);
}

test.each<{ state: JobState; submission: Submission; adopted: boolean }>([
  { state: 'queued', submission: {}, adopted: true },
  { state: 'launching', submission: {}, adopted: false },
  { state: 'attesting', submission: {}, adopted: false },
  // What runs is adopted, not started again.
  { state: 'running', submission: { cells: slowCells(2) }, adopted: true },
  { state: 'sealing', submission: LARGE_OUTPUT, adopted: false }
])('a job whose server is killed while it is $state ends once after a restart, with one report', async ({ state, submission, adopted }) => {
  const job = await submitAndKillAt(state, submission);
  expect(processesOf(world.root).map(({ pid }) => pid)).not.toContain(world.daemon().pid);
  await world.restart();
  const view = await ended(world, job);
  expect(view.state).toBe('succeeded');
  if (adopted) expect(view.attempt).toBe(1);
  await expectEndedOnce(job, view.attempt);
  expect((await world.agent.results(job)).verdict).toBe('simulated');
});

test('a job whose server is killed while it waits for an owner goes on when she approves its code', async () => {
  const { registry, transport } = world;
  await registry.allow('outcomes', [world.rule({ code: 'approved' })]);
  try {
    const job = await submitAndKillAt('waiting', {});
    await world.restart();
    const { analyst, inputs, notAfter, code } = (await world.agent.kept(job)).manifest.payload;
    const { digest, environment, parameters } = code;
    const approval = await signObject(
      APPROVAL,
      { v: 1, code: digest, environment, parameters, inputs: inputs.map(({ asset }) => asset), analyst, notAfter, decision: 'approved', reason: '' },
      registry.owner.signer
    );
    await callRoute({ transport, baseUrl: registry.url }, BROKER_ROUTES.putApproval, { body: { approval: approval.jws } });
    expect(await ended(world, job)).toMatchObject({ state: 'succeeded', attempt: 1 });
    await expectEndedOnce(job, 1);
  } finally {
    await registry.allow('outcomes', [world.rule()]);
  }
});

test('two jobs at once both end once, whoever is killed in between', async () => {
  const [first, second] = await Promise.all([submit(world, { cells: slowCells(2) }), submit(world, { cells: slowCells(2) })]);
  expect(await killAt(first.job, 'running')).toBe(true);
  await world.restart();
  for (const { job } of [first, second]) {
    const { state, attempt } = await ended(world, job);
    expect(state).toBe('succeeded');
    await expectEndedOnce(job, attempt);
  }
});

test('a runner that finishes while no server runs publishes after the restart', async () => {
  const job = await submitAndKillAt('running', { cells: slowCells(1) });
  // Longer than the rest of the notebook takes, shorter than the runner goes on trying.
  await eventually('end of the sandboxes', () => !processesOf(world.root).some(({ command }) => command.includes('bwrap')), { within: 20_000 });
  await world.restart();
  const view = await ended(world, job);
  expect(view.state).toBe('succeeded');
  await expectEndedOnce(job, view.attempt);
});

test('after all crashes no instance is left over', async () => {
  await eventually('end of all instances', () => processesOf(world.root).every(({ pid }) => pid === world.daemon().pid), { within: 30_000, pauseMs: 100 });
});

async function expectEndedOnce(job: Digest, attempt: number): Promise<void> {
  const row = readOperatorDatabase(world.home, database => ({ ends: database.ends(job), report: database.job(job)?.report }));
  expect(row).toMatchObject({ ends: 1 });
  expect(row.report).not.toBeNull();
  expect(reportsOf(world.home, job)).toEqual([`${attempt}-report`]);
  for (const owner of [world.hospital, world.registry]) {
    const attempts = (await owner.releases(job)).map(release => release.attempt);
    expect(new Set(attempts).size).toBe(attempts.length);
    expect(attempts.every(released => released <= attempt)).toBe(true);
  }
  expect((await world.hospital.releases(job)).at(-1)?.attempt).toBe(attempt);
}
