import { setTimeout as delay } from 'node:timers/promises';

import type { Agent } from '@cloister/agent';
import { layoutOf, urlOf } from '@cloister/embedded';
import { AppError, SERVER_ROUTES, callRoute } from '@cloister/protocol';

import type { Figure, Measurement } from '../figure.js';
import { compare, takeTurns, type Pair } from '../pairs.js';
import { MIB, memoryOf } from '../process-memory.js';
import { seedJobs } from '../seed-jobs.js';
import { createSlice, startSlice, type RunningSlice } from '../slice.js';
import { percentile } from '../statistics.js';

const JOBS = 100_000;
/** What a list on a screen asks for. */
const PAGE = 50;
const LARGEST_PAGE = 200;
const BLOCKS = 9;
const REQUESTS_PER_BLOCK = 40;
/** The server lets one key send 50 requests a second; a block sends two lists a request of ours. */
const REFILL_MS = (2 * REQUESTS_PER_BLOCK * 1000) / 50;

/** Whether a list stays as fast where there are many jobs, and far down in it. */
export const jobList: Measurement = {
  ids: ['jobs-first-page', 'jobs-deep-page'],
  run: async bench => {
    const slice = await createSlice(bench);
    // Its keys are made by the agent on first use, and the jobs must be hers.
    const first = await startSlice(bench, slice);
    const { analyst } = first.agent;
    await first.stop();
    bench.say(`jobs: storing ${JOBS}`);
    await seedJobs(bench, layoutOf(slice.home).server, { analyst, jobs: JOBS });
    const running = await startSlice(bench, slice);
    try {
      const cursor = await walkToLastPage(running.agent);
      bench.say(`jobs: ${BLOCKS} blocks of ${2 * REQUESTS_PER_BLOCK} lists`);
      return await measureLists(running, cursor);
    } finally {
      await running.stop();
    }
  }
};

interface Block {
  readonly page: number;
  /** Of a request that no proof and no database takes part in. */
  readonly bare: number;
}

async function measureLists(running: RunningSlice, cursor: string): Promise<Figure[]> {
  const { agent, transport, pid } = running;
  const firstPage = (): Promise<number> => agent.jobs({ limit: PAGE }).then(({ jobs }) => jobs.length);
  const deepPage = (): Promise<number> => agent.jobs({ limit: PAGE, cursor }).then(({ jobs }) => jobs.length);
  const bare = (): Promise<unknown> => callRoute({ transport, baseUrl: urlOf('server') }, SERVER_ROUTES.health, {});
  const blocks: Pair<Block, number>[] = [];
  for (let block = 0; block < BLOCKS; block += 1) {
    await delay(REFILL_MS);
    const turns = await takeTurns(REQUESTS_PER_BLOCK, { ours: () => timeFullPage(deepPage), peer: () => timeFullPage(firstPage) });
    const health: number[] = [];
    for (let request = 0; request < REQUESTS_PER_BLOCK; request += 1) health.push(await time(bare));
    const deep = p95(turns.map(({ ours }) => ours));
    blocks.push({ ours: { page: deep, bare: p95(health) }, peer: p95(turns.map(({ peer }) => peer)) });
  }
  const memory = Math.round((memoryOf(pid)?.now ?? Number.NaN) / MIB);
  const asked = `p95 of ${REQUESTS_PER_BLOCK} lists of ${PAGE} of ${JOBS} jobs, signed, over the daemon's socket`;
  return [
    { id: 'jobs-first-page', ...compare(blocks.map(({ ours, peer }) => ({ ours: peer, peer: ours.bare }))), unit: 'ms', note: `${asked}, newest first / GET /healthz; the daemon then has ${memory} MiB` },
    { id: 'jobs-deep-page', ...compare(blocks.map(({ ours, peer }) => ({ ours: ours.page, peer }))), unit: 'ms', note: `${asked}, the last page / the first page` }
  ];
}

const p95 = (values: readonly number[]): number => percentile(values, 0.95);

async function time(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

async function timeFullPage(list: () => Promise<number>): Promise<number> {
  const begun = performance.now();
  const found = await list();
  const took = performance.now() - begun;
  if (found !== PAGE) throw new Error(`a page has ${found} jobs, not ${PAGE}`);
  return took;
}

/** Turns every page, which also shows that each job is listed once. @returns the cursor of the last PAGE jobs */
async function walkToLastPage(agent: Agent): Promise<string> {
  const seen = new Set<string>();
  let cursor: string | undefined;
  // The last stretch in pages of the measured size, so that one of them ends where the list does.
  for (let limit = LARGEST_PAGE; ; limit = seen.size >= JOBS - LARGEST_PAGE ? PAGE : LARGEST_PAGE) {
    const { jobs, next } = await patiently(() => agent.jobs({ limit, ...(cursor === undefined ? {} : { cursor }) }));
    for (const { job } of jobs) seen.add(job);
    if (next === undefined) break;
    cursor = next;
  }
  if (seen.size !== JOBS || cursor === undefined) throw new Error(`${seen.size} of ${JOBS} jobs were listed`);
  return cursor;
}

async function patiently<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'rate_limited') throw error;
      await delay(1000);
    }
  }
}
