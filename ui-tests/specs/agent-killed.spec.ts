import type { Locator } from '@playwright/test';
import { expectSameList, openPanelFromBrowser } from '../harness/job-list.js';
import { cancelAll, jobOf, jobsOf, submitByCommand } from '../harness/jobs.js';
import { killService, runningOf, type Service } from '../harness/services.js';
import { expect, test } from '../harness/test.js';
import type { World } from '../harness/world.js';

/** Long enough that services break down and come back meanwhile. */
const WORK = ['import cloister, time\nrows = cloister.path("hospital/measurements").read_text()', ...Array.from({ length: 5 }, () => 'time.sleep(2)')];

test.beforeEach(({ watch }) => {
  // What the browser itself notes of requests to somebody who is not there.
  watch.allow(/^Failed to load resource: .* status of (500|502|503|504)/, /^WebSocket connection to /);
});

test.afterEach(async ({ world }) => cancelAll(world));

test('the agent is killed while a job runs: it is said in words, comes back by itself, and nothing is lost', async ({ lab, world }) => {
  world.writeNotebook('agent-killed.ipynb', WORK);
  world.writeNotebook('half-filled.ipynb', ['import cloister\nrows = cloister.path("hospital/measurements").read_text()']);
  await lab.open();
  const panel = await openPanelFromBrowser(lab, 'half-filled.ipynb');
  await panel.getByLabel('Purpose').fill('typed before the agent was killed');
  await lab.showJobs();
  const job = await submitByCommand(world, 'agent-killed.ipynb');
  await expect(lab.row('agent-killed.ipynb')).toContainText(/Running, cell \d of 6/);

  const trouble = lab.jobs.getByText('Cloister’s agent did not start, or it stopped.');
  const killed = await killUntil(trouble, { world, service: 'agent' });
  expect(killed.length).toBeGreaterThan(0);
  await expect(lab.jobs).toContainText('Jobs go on meanwhile.');
  await expect(lab.row('agent-killed.ipynb')).toContainText('Running');
  await expect(lab.jobs).not.toContainText(/\bat .*\.m?js:\d+|Traceback|ECONN|<html/i);

  await expect(trouble).toHaveCount(0, { timeout: 60_000 });
  expect(runningOf(world, 'agent').filter(({ pid }) => !killed.includes(pid))).toHaveLength(1);
  await expect(lab.row('agent-killed.ipynb')).toContainText('Finished, not opened yet', { timeout: 60_000 });
  await expectSameList(lab, world);
  expect((await jobsOf(world)).filter(({ notebook }) => notebook?.endsWith('agent-killed.ipynb')).map(({ job: id }) => id)).toEqual([job]);

  await expect(panel.getByLabel('Purpose')).toHaveValue('typed before the agent was killed');
  await lab.submit.click();
  await expect(panel.getByRole('heading', { name: 'Submitted' })).toBeVisible();
  expect((await jobsOf(world)).filter(({ notebook }) => notebook?.endsWith('half-filled.ipynb'))).toHaveLength(1);
  await expect(lab.row('half-filled.ipynb')).toContainText('Finished, not opened yet', { timeout: 60_000 });
});

test('the services of this machine are killed while a job runs: it is said in words, they come back, and the job ends well', async ({ lab, world }) => {
  world.writeNotebook('daemon-killed.ipynb', WORK);
  await lab.open();
  await lab.showJobs();
  const job = await submitByCommand(world, 'daemon-killed.ipynb');
  await expect(lab.row('daemon-killed.ipynb')).toContainText(/Running, cell \d of 6/);

  const trouble = lab.jobs.getByText('The Cloister daemon does not answer.');
  const killed = await killUntil(trouble, { world, service: 'daemon' });
  expect(killed.length).toBeGreaterThan(0);
  await expect(lab.row('daemon-killed.ipynb')).toContainText('Running');

  await expect(trouble).toHaveCount(0, { timeout: 60_000 });
  await expect(lab.row('daemon-killed.ipynb')).toContainText('Finished, not opened yet', { timeout: 60_000 });
  expect((await jobOf(world, job)).state).toBe('succeeded');
  await expectSameList(lab, world);
  await lab.reload();
  await lab.showJobs();
  await expectSameList(lab, world);
});

/** Kills a service, and whatever takes its place, until the page says so; gives the pids. */
async function killUntil(sign: Locator, { world, service }: { readonly world: World; readonly service: Service }): Promise<number[]> {
  const killed: number[] = [];
  await expect(async () => {
    killed.push(...killService(world, service));
    await expect(sign).toBeVisible({ timeout: 100 });
  }).toPass({ timeout: 30_000, intervals: [0] });
  return killed;
}
