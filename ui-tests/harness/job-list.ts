import { expect, type Locator } from '@playwright/test';
import { jobsOf } from './jobs.js';
import type { Lab } from './lab.js';
import type { World } from './world.js';

/** The sidebar shows the jobs that the command line lists, in its order: none lost, none twice. */
export async function expectSameList({ jobs }: Lab, world: World): Promise<void> {
  const names = (await jobsOf(world)).slice(0, 50).map(({ notebook = '' }) => notebook.split('/').at(-1));
  await expect.poll(async () => jobs.getByRole('listitem').locator('.jp-Cloister-jobs-name').allTextContents()).toEqual(names);
}

/** Opens the Submit panel of a notebook from the file browser: it is not open itself, and no kernel has a part in it. */
export async function openPanelFromBrowser({ page, panel, submit }: Lab, notebook: string): Promise<Locator> {
  await page.locator('.jp-DirListing-item').filter({ has: page.getByText(notebook, { exact: true }) }).click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Submit to TEE' }).click();
  await expect(panel.getByRole('heading', { level: 1, name: `Submit ${notebook}` })).toBeVisible();
  await expect(submit).toBeEnabled();
  return panel;
}
