import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { COUNT_ROWS } from '../../e2e/harness/notebooks.js';
import { cancelAll, jobsOf } from '../harness/jobs.js';
import { expect, test } from '../harness/test.js';

test('unsaved edits are saved on wish, and else nothing happens', async ({ lab, page, world }) => {
  world.writeNotebook('dirty.ipynb', COUNT_ROWS);
  await lab.openNotebook('dirty.ipynb');
  await page.locator('.jp-Notebook .cm-content').last().click();
  await page.keyboard.press('Control+End');
  await page.keyboard.type('\n# edited');
  await lab.submitButton.click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(lab.panel).toHaveCount(0);
  expect(readFileSync(join(world.workspace, 'dirty.ipynb'), 'utf8')).not.toContain('# edited');

  await lab.submitButton.click();
  await dialog.getByRole('button', { name: 'Save and continue' }).click();
  await expect(lab.submit).toBeEnabled();
  expect(readFileSync(join(world.workspace, 'dirty.ipynb'), 'utf8')).toContain('# edited');
});

test('a half-filled panel survives a reload', async ({ lab, world }) => {
  world.writeNotebook('reloaded.ipynb', COUNT_ROWS);
  await lab.openNotebook('reloaded.ipynb');
  const panel = await lab.openPanel('reloaded.ipynb');
  await expect(lab.submit).toBeEnabled();
  await panel.getByLabel('Purpose').fill('half a sentence, and the');
  await panel.getByLabel('Time limit', { exact: true }).fill('17');
  // The layout is kept a moment after it changed; what is asked for is that it was.
  await expect.poll(async () => (await lab.keptLayout()).includes('cloister-submit:reloaded.ipynb')).toBe(true);
  await expect.poll(async () => (await lab.keptLayout()).includes('half a sentence')).toBe(true);
  await lab.page.goto(lab.urlOf());
  await lab.ready();
  await lab.focusTab('Submit reloaded.ipynb');
  await expect(panel.getByLabel('Purpose')).toHaveValue('half a sentence, and the');
  await expect(panel.getByLabel('Time limit', { exact: true })).toHaveValue('17');
  await expect(lab.submit).toBeEnabled();
});

test('a double click on Submit makes one job, and the button is busy at once', async ({ lab, world }) => {
  world.writeNotebook('twice.ipynb', COUNT_ROWS);
  await lab.openNotebook('twice.ipynb');
  const panel = await lab.openPanel('twice.ipynb');
  await expect(lab.submit).toBeEnabled();
  await lab.submit.dblclick();
  await expect(panel.getByRole('heading', { name: 'Submitted' })).toBeVisible();
  expect((await jobsOf(world)).filter(({ notebook }) => notebook?.endsWith('twice.ipynb'))).toHaveLength(1);
  await cancelAll(world);
});

test('a notebook that changed on disk since the panel was made is shown again before it is sent', async ({ lab, world }) => {
  world.writeNotebook('moved.ipynb', COUNT_ROWS);
  await lab.openNotebook('moved.ipynb');
  const panel = await lab.openPanel('moved.ipynb');
  await expect(lab.submit).toBeEnabled();
  const before = (await jobsOf(world)).length;
  world.writeNotebook('moved.ipynb', [...COUNT_ROWS, 'print("one more cell")']);
  await panel.getByLabel('Purpose').fill('changes the terms, so that all is packaged anew');
  await lab.submit.click();
  await expect(panel.getByText(/changed since you looked/)).toBeVisible();
  expect((await jobsOf(world)).length).toBe(before);
});
