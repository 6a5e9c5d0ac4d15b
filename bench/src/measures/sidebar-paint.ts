import type { BrowserContext } from '@playwright/test';

import { ensureStateFolder, openKeys, stateFolderOf } from '@cloister/agent';
import { layoutOf } from '@cloister/embedded';

import { openBrowser } from '../browser.js';
import type { Bench, Measurement } from '../figure.js';
import { askedToPainted, markRows, openJobsPanel, untilRows } from '../jobs-panel.js';
import { startLab } from '../lab.js';
import { markReady, openLab } from '../page-marks.js';
import { compare, takeTurns } from '../pairs.js';
import { seedJobs } from '../seed-jobs.js';
import { seedRecords } from '../seed-records.js';
import { createSlice, startSlice } from '../slice.js';

const MANY = 10_000;
const FEW = 10;
/** What the sidebar shows of them at first. */
const PAGE = 50;
const PAIRS = 25;
const WARM_UP = 4;

/** Whether the sidebar comes as fast for somebody who has used Cloister for years. */
export const sidebarPaint: Measurement = {
  ids: ['sidebar-paint'],
  run: async bench => {
    const many = await openSide(bench, MANY);
    const few = await openSide(bench, FEW);
    try {
      const sides = { ours: many.load, peer: few.load };
      bench.say(`sidebar-paint: ${WARM_UP} pairs to warm up, ${PAIRS} pairs`);
      await takeTurns(WARM_UP, sides);
      const note = `from the page's first question for jobs to ${PAGE} rows on the screen, of ${MANY} jobs in the server and the agent, while JupyterLab loads with the sidebar open / of ${FEW} jobs, ${FEW} rows`;
      return [{ id: 'sidebar-paint', ...compare(await takeTurns(PAIRS, sides)), ratioLimit: 1.5, unit: 'ms', note }];
    } finally {
      await many.end();
      await few.end();
    }
  }
};

interface Side {
  readonly load: () => Promise<number>;
  readonly end: () => Promise<void>;
}

/** A whole machine with so many jobs: daemon, agent, Jupyter and a browser in which the sidebar is open. */
async function openSide(bench: Bench, jobs: number): Promise<Side> {
  bench.say(`sidebar-paint: storing ${jobs} jobs`);
  const slice = await createSlice(bench);
  const workspace = await bench.resources.folder('workspace');
  const state = stateFolderOf(slice.home);
  await ensureStateFolder(state);
  const { signer } = await openKeys(state.keys);
  await seedRecords({ home: slice.home, workspace }, await seedJobs(bench, layoutOf(slice.home).server, { analyst: signer.thumbprint, jobs }));
  const running = await startSlice(bench, slice);
  const lab = await startLab(bench, { home: slice.home, workspace });
  const browser = await openBrowser(bench);
  await markReady(browser);
  await markRows(browser, Math.min(PAGE, jobs));
  await openOnce(browser, { url: lab.url, rows: Math.min(PAGE, jobs) });
  return {
    load: () => loadOnce(browser, lab.url),
    end: async () => {
      await browser.close();
      await lab.stop();
      await running.stop();
    }
  };
}

async function openOnce(browser: BrowserContext, { url, rows }: { readonly url: string; readonly rows: number }): Promise<void> {
  const page = await browser.newPage();
  await openLab(page, url);
  await openJobsPanel(page);
  await untilRows(page, rows);
  await page.close();
}

async function loadOnce(browser: BrowserContext, url: string): Promise<number> {
  const page = await browser.newPage();
  try {
    await openLab(page, url);
    return await askedToPainted(page);
  } finally {
    await page.close();
  }
}
