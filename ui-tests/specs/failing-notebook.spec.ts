import { expect, test } from '../harness/test.js';

const CELLS = ['import cloister\nrows = cloister.path("hospital/measurements").read_text().splitlines()', 'raise ValueError("there is no such column")', 'print("never")'];

test('a cell that raises: said in words, whose turn it is, and the traceback can be opened', async ({ lab, page, world }) => {
  world.writeNotebook('raises.ipynb', CELLS);
  await lab.openNotebook('raises.ipynb');
  await lab.submitNotebook('raises.ipynb');
  await lab.showJobs();
  const row = lab.row('raises.ipynb');
  await expect(row).toContainText('Failed', { timeout: 60_000 });
  await lab.expand(row);
  await expect(row).toContainText('A cell raised an error.');
  await expect(row).toContainText('Your turn');
  await expect(row.getByRole('button', { name: 'Retry' })).toHaveCount(0);
  await expect(row).not.toContainText(/at .*\.js:\d+/);

  await row.getByRole('button', { name: 'Verify and open outputs' }).click();
  await expect(row.getByText(/Opened \d+ files/)).toBeVisible();
  // The executed notebook is in front, with the traceback where it happened; a file of its own holds it too.
  await expect(page.locator('.jp-NotebookPanel:visible .jp-OutputArea-output').getByText('there is no such column').first()).toBeVisible();
  await row.getByRole('button', { name: /^results\/raises-/ }).first().click();
  await page.locator('.jp-DirListing-item', { hasText: /traceback/ }).dblclick();
  await expect(page.locator('.jp-FileEditor:visible, .jp-Document:visible').getByText('there is no such column').first()).toBeVisible();
});
