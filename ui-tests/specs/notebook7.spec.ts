import type { JupyterServer } from '../harness/jupyter-server.js';
import { Lab, logIn } from '../harness/lab.js';
import { COUNT_ROWS } from '../../e2e/harness/notebooks.js';
import { expect, test as base } from '../harness/test.js';

const test = base.extend<object, { readonly notebookServer: JupyterServer }>({
  notebookServer: [async ({ world }, use) => use(await world.startJupyter('notebook')), { scope: 'worker', timeout: 120_000 }]
});

test('Notebook 7: from the toolbar’s button to opened outputs and the verdict', async ({ page, context, notebookServer, world }) => {
  world.writeNotebook('in-notebook7.ipynb', COUNT_ROWS);
  await logIn(context, notebookServer);
  const notebook = new Lab(page, notebookServer, 'notebook7');
  await page.goto(`${notebookServer.baseUrl}notebooks/in-notebook7.ipynb`);
  await notebook.kernelReady();
  await notebook.openPanel('in-notebook7.ipynb');
  await notebook.submit.click();
  // The panel and the job sidebar share one place here: the job comes forward.
  const row = notebook.row('in-notebook7.ipynb');
  await expect(row).toContainText('Finished, not opened yet', { timeout: 60_000 });
  await notebook.expand(row);

  // Here each document has a tab of the browser to itself.
  const opened = context.waitForEvent('page');
  await row.getByRole('button', { name: 'Verify and open outputs' }).click();
  await expect(row.getByText(/Opened \d+ files/)).toBeVisible();
  await expect(row).toContainText('Simulated');
  await expect((await opened).locator('.jp-OutputArea-output').getByText(/^rows \d+ \d+/)).toBeVisible();

  const report = context.waitForEvent('page');
  await row.getByRole('button', { name: 'Report', exact: true }).click();
  const viewer = new Lab(await report, notebookServer, 'notebook7');
  await expect(viewer.report.getByRole('heading', { level: 1, name: 'Simulated' })).toBeVisible();
  await expect(viewer.report.locator('.jp-mod-good')).toHaveCount(0);
});
