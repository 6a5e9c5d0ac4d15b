import { setTimeout as delay } from 'node:timers/promises';

import { READS_BOTH, createWorkbench, type Workbench } from '@cloister/agent/testing';
import type { Digest, JobState } from '@cloister/protocol';
import type { Page } from '@playwright/test';

import { openBrowser } from '../browser.js';
import type { Figure, Measurement } from '../figure.js';
import { openJobsPanel, rowChanges, untilNamed, watchRows } from '../jobs-panel.js';
import { startLab } from '../lab.js';
import { markReady, nextFrame, openLab } from '../page-marks.js';
import { compare } from '../pairs.js';
import { delaysOf } from '../row-delays.js';
import { median, percentile } from '../statistics.js';

const JOBS = 25;
/** What each job goes through, from `queued`. A row has other words for each. */
const STATES: readonly JobState[] = ['launching', 'attesting', 'running', 'sealing', 'succeeded'];
/** A machine that has other work for a moment spoils one block, and not the figure. */
const BLOCKS = 5;
const CHANGES = JOBS * STATES.length;
/** No multiple of a frame's 16.7 ms, so that changes meet frames at every moment. */
const PAUSE_MS = 43;

/** How fresh the sidebar is: from an event of the server to what a person reads. */
export const stateToPanel: Measurement = {
  ids: ['state-to-panel'],
  run: async bench => {
    const workbench = await createWorkbench();
    const end = bench.resources.onEnd(workbench.close);
    const lab = await startLab(bench, workbench);
    const browser = await openBrowser(bench);
    try {
      await markReady(browser);
      const page = await browser.newPage();
      await openLab(page, lab.url);
      await openJobsPanel(page);
      bench.say(`state-to-panel: ${CHANGES} changes to warm up, ${BLOCKS} blocks of ${CHANGES} changes`);
      await takeBlock(page, workbench, 0);
      const blocks: Block[] = [];
      for (let block = 1; block <= BLOCKS; block += 1) blocks.push(await takeBlock(page, workbench, block));
      return [figureOf(blocks)];
    } finally {
      await browser.close();
      await lab.stop();
      await end();
    }
  }
};

/** Delays in milliseconds. */
interface Block {
  /** From a change to its row. */
  readonly rows: readonly number[];
  /** From asking the browser to the page's next frame: what the machine takes by itself. */
  readonly frames: readonly number[];
}

const p95 = (delays: readonly number[]): number => percentile(delays, 0.95);

function figureOf(blocks: readonly Block[]): Figure {
  const all = blocks.flatMap(({ rows }) => rows);
  return {
    id: 'state-to-panel',
    ...compare(blocks.map(({ rows, frames }) => ({ ours: p95(rows), peer: p95(frames) }))),
    limit: 50,
    unit: 'ms',
    note: `p95 of ${CHANGES} changes, from the event of the operator's server to the row's new words, by one clock, over agent, jupyter-server-proxy, WebSocket and page / from a question that is put to the browser directly to the page's next frame, in turns: what the machine takes by itself. Median of all changes ${median(all)} ms, longest ${Math.max(...all)} ms. The server is one in memory with the real routes and streams; agent, Jupyter and extension are as built`
  };
}

interface NamedJob {
  readonly job: Digest;
  /** What the sidebar calls it. */
  readonly name: string;
}

/** New jobs, and every state of each. */
async function takeBlock(page: Page, workbench: Workbench, block: number): Promise<Block> {
  const jobs: NamedJob[] = [];
  for (let number = 0; number < JOBS; number += 1) jobs.push(await submitJob(workbench, `change-${block}-${number}.ipynb`));
  // The page is read anew, so that every block finds one that is as old and holds as much.
  await page.reload();
  await untilNamed(page, jobs.map(({ name }) => name));
  return timeChanges(page, workbench, jobs);
}

async function submitJob({ agent, put }: Workbench, name: string): Promise<NamedJob> {
  const plan = await agent.plan({ notebook: await put(name, READS_BOTH) });
  const { job } = await agent.submit({ plan, draft: await agent.draft(plan) });
  return { job, name };
}

/** Every job through every state, one change at a time. */
async function timeChanges(page: Page, { operator }: Workbench, jobs: readonly NamedJob[]): Promise<Block> {
  await watchRows(page);
  const frames: number[] = [];
  const begun = new Map<string, number[]>(jobs.map(({ name }) => [name, []]));
  for (const state of STATES) {
    for (const { job, name } of jobs) {
      await delay(PAUSE_MS);
      begun.get(name)?.push(Date.now());
      operator.advance(job, state, { attempt: 1 });
      await delay(PAUSE_MS);
      const asked = Date.now();
      frames.push((await nextFrame(page)) - asked);
    }
  }
  return { rows: delaysOf(await rowChanges(page, CHANGES), begun), frames };
}
