import type { BrowserContext, Page } from '@playwright/test';
import { cancelAll, submitByCommand } from '../harness/jobs.js';
import { Lab } from '../harness/lab.js';
import { expect, test } from '../harness/test.js';

/** As many as a browser has connections to one server: were each tab to keep one, none would be left for anything else. */
const TABS = 6;

test('six tabs are live to the end, and each still gets its requests answered', async ({ lab, context, server, world }) => {
  const labs = await openTabs(lab, context);
  world.writeNotebook('in-six-tabs.ipynb', ['import cloister\nrows = cloister.path("hospital/measurements").read_text()', ...Array.from({ length: 4 }, () => 'import time\ntime.sleep(2)')]);
  world.writeNotebook('cancelled-in-one.ipynb', ['import cloister, time\nrows = cloister.path("hospital/measurements").read_text()\ntime.sleep(300)']);
  try {
    await submitByCommand(world, 'in-six-tabs.ipynb');
    await Promise.all(labs.map(async tab => expect(tab.row('in-six-tabs.ipynb')).toContainText(/Running, cell \d of 5/)));

    const statuses = await Promise.all(labs.map(async ({ page }) => askTwice(page, server.baseUrl)));
    expect(statuses).toEqual(labs.map(() => [200, 200]));
    await Promise.all(labs.map(async tab => expect(tab.row('in-six-tabs.ipynb')).toContainText('Finished, not opened yet', { timeout: 60_000 })));

    await submitByCommand(world, 'cancelled-in-one.ipynb');
    await Promise.all(labs.map(async tab => expect(tab.row('cancelled-in-one.ipynb')).toContainText('Running')));
    const row = lab.row('cancelled-in-one.ipynb');
    await lab.expand(row);
    await row.getByRole('button', { name: 'Cancel', exact: true }).click();
    await Promise.all(labs.map(async tab => expect(tab.row('cancelled-in-one.ipynb')).toContainText('Cancelled')));
  } finally {
    await cancelAll(world);
  }
});

/** The test's own tab and others beside it, each with its sidebar open. */
async function openTabs(first: Lab, context: BrowserContext): Promise<Lab[]> {
  const labs = [first];
  for (let at = 1; at < TABS; at += 1) labs.push(new Lab(await context.newPage(), first.server, `tab-${at}`));
  for (const lab of labs) {
    await lab.open();
    await lab.showJobs();
  }
  return labs;
}

/** Asks the agent and Jupyter from a page. A request that waits for a free connection forever ends as an error. */
async function askTwice(page: Page, baseUrl: string): Promise<number[]> {
  return page.evaluate(async base => {
    const ask = async (path: string): Promise<number> => {
      const reply = await fetch(base + path, { headers: { 'X-Cloister-Client': 'jupyterlab' }, signal: AbortSignal.timeout(15_000) });
      await reply.text();
      return reply.status;
    };
    return Promise.all([ask('cloister/v1/jobs'), ask('api/contents?content=1')]);
  }, baseUrl);
}
