import type { Digest } from '@cloister/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDaemon } from '../harness/daemon.js';
import { launcherOf, runnerOf } from '../harness/instances.js';
import { ended, history, submit } from '../harness/jobs.js';
import { slowCells } from '../harness/notebooks.js';
import { readOperatorDatabase, reportsOf } from '../harness/operator-files.js';
import { eventually, until } from '../harness/poll.js';
import { processesOf, signalProcess } from '../harness/processes.js';
import { codeOf, refusal } from '../harness/refusals.js';
import { createWorld, type World } from '../harness/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(async () => world.close());

const inState = (job: Digest, state: string, attempt: number): boolean => {
  const row = readOperatorDatabase(world.home, database => database.job(job));
  return row?.state === state && row.attempt === attempt;
};

async function killWhenRunning(job: Digest, attempt: number, pidOf: typeof runnerOf): Promise<void> {
  await eventually(`attempt ${attempt} running`, () => inState(job, 'running', attempt));
  signalProcess(await until('process', () => pidOf(world.home, job, attempt)), 'SIGKILL');
}

test('a job whose runner is killed succeeds at its second attempt, with keys released anew', async () => {
  const { job } = await submit(world, { cells: slowCells(2) });
  await killWhenRunning(job, 1, runnerOf);
  expect(await ended(world, job)).toMatchObject({ state: 'succeeded', attempt: 2 });
  expect(await history(world, job)).toEqual([
    { state: 'queued', attempt: 0 },
    ...['launching', 'attesting', 'running'].map(state => ({ state, attempt: 1 })),
    ...['launching', 'attesting', 'running', 'sealing', 'succeeded'].map(state => ({ state, attempt: 2 }))
  ]);
  expect(reportsOf(world.home, job)).toEqual(['2-report']);
  expect((await world.hospital.releases(job)).map(({ attempt }) => attempt)).toEqual([1, 2]);
  expect((await world.agent.results(job)).verdict).toBe('simulated');
});

test('a job whose launcher is killed leaves no process of that attempt, and succeeds at the next', async () => {
  const { job } = await submit(world, { cells: slowCells(2) });
  await eventually('attempt 1 running', () => inState(job, 'running', 1));
  const runner = await until('runner', () => runnerOf(world.home, job, 1));
  await killWhenRunning(job, 1, launcherOf);
  await eventually('second attempt', () => readOperatorDatabase(world.home, database => database.job(job)?.attempt) === 2);
  await eventually('end of the first runner', () => !processesOf(world.root).some(({ pid }) => pid === runner));
  expect(await ended(world, job)).toMatchObject({ state: 'succeeded', attempt: 2 });
});

test('a job whose runner is killed at every attempt is lost, says so, and can be retried', async () => {
  const { job } = await submit(world, { cells: slowCells(2) });
  for (const attempt of [1, 2, 3]) await killWhenRunning(job, attempt, runnerOf);
  expect(await ended(world, job)).toMatchObject({ state: 'lost', code: 'runner_lost', attempt: 3 });
  expect((await refusal(world.agent.results(job))).code).toBe('not_found');
  const { view } = await world.agent.retry(job);
  expect(view.job).not.toBe(job);
  expect(await ended(world, view.job)).toMatchObject({ state: 'succeeded', attempt: 1 });
});

test('a cancelled job ends at once, its processes with it, and can be deleted with all that is stored of it', async () => {
  const { job } = await submit(world, { cells: slowCells(60) });
  await eventually('run', () => inState(job, 'running', 1));
  expect(await codeOf(world.agent.delete(job))).toBe('job_not_finished');
  expect((await world.agent.cancel(job)).state).toBe('cancelled');
  await eventually('end of its processes', () => processesOf(world.root).every(({ pid }) => pid === world.daemon().pid), { within: 20_000, pauseMs: 50 });
  await world.agent.delete(job);
  expect(await codeOf(world.agent.job(job))).toBe('not_found');
  expect(readOperatorDatabase(world.home, database => database.job(job))).toBeUndefined();
});

test('a second daemon over the same state directory is refused, and the first goes on', async () => {
  await expect(startDaemon(world.home)).rejects.toThrow('state_locked');
  const { job } = await submit(world);
  expect(await ended(world, job)).toMatchObject({ state: 'succeeded' });
});
