import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { logInByPage } from '../harness/lab.js';
import { jobsOf } from '../harness/jobs.js';
import { expect, test } from '../harness/test.js';

const NOTEBOOK = 'outcome-model.ipynb';

test('from the login page over the toolbar’s button to opened outputs, the verdict and the same verdict offline', async ({ lab, page, context, server, world }) => {
  await context.clearCookies();
  await page.goto(lab.urlOf(NOTEBOOK));
  await logInByPage(page, server);
  await lab.ready();

  await test.step('the notebook runs on mocks, and says so', async () => {
    await lab.runAllCells();
    await expect(page.locator('.jp-OutputArea-output').getByText(/mock data/i).first()).toBeVisible({ timeout: 60_000 });
    await expect(page.locator('.jp-OutputArea-output').getByText('"mock": true')).toBeVisible({ timeout: 60_000 });
  });

  await test.step('the panel shows what is sent, which data, and under which policies', async () => {
    const panel = await lab.openPanel(NOTEBOOK);
    await expect(panel.getByRole('row', { name: new RegExp(NOTEBOOK) })).toBeVisible();
    await expect(panel.getByText(/sha256:[0-9a-f]{64}/)).toBeVisible();
    for (const asset of ['hospital/measurements', 'registry/outcomes']) {
      const card = panel.getByRole('article', { name: asset });
      await expect(card).toContainText('Allowed');
      await expect(card).toContainText('policy says');
    }
    await panel.getByLabel('Purpose').fill('Do measurements predict outcomes?');
    await lab.submit.click();
    await expect(panel.getByRole('heading', { name: 'Submitted' })).toBeVisible();
  });

  await test.step('the sidebar follows the job to its end', async () => {
    await expect(page.getByText(`Submitted ${NOTEBOOK}. It runs on by itself.`)).toBeVisible();
    await lab.showJobs();
    await expect(lab.row(NOTEBOOK)).toContainText(/Running, cell \d of \d/, { timeout: 60_000 });
    await expect(lab.row(NOTEBOOK)).toContainText('Finished, not opened yet', { timeout: 60_000 });
    await expect(lab.row(NOTEBOOK).locator('.jp-mod-good')).toHaveCount(0);
  });

  const folder = await test.step('the outputs are verified, unsealed and opened, untrusted', async () => {
    const row = lab.row(NOTEBOOK);
    await lab.expand(row);
    await row.getByRole('button', { name: 'Verify and open outputs' }).click();
    await expect(row.getByText(/Opened \d+ files/)).toBeVisible();
    await expect(row).toContainText('Simulated');
    await expect(row).toContainText('Finished, outputs opened');
    await expect(row.locator('.jp-mod-good')).toHaveCount(0);
    const [newest] = await jobsOf(world);
    const results = `results/outcome-model-${newest?.job.slice(7, 15) ?? ''}`;
    await expect(row.getByRole('button', { name: results }).first()).toBeVisible();
    const executed = page.locator('.jp-NotebookPanel:visible');
    await expect(executed.locator('.jp-OutputArea-output').getByText('"mock": false')).toBeVisible();
    // Code that ran elsewhere wrote this: nothing in its outputs may run here.
    await expect(page.locator('#jp-bottom-panel [title*="code cells trusted"]')).toHaveAttribute('title', /: 0 of \d+ code cells trusted/);
    expect(JSON.parse(readFileSync(join(world.workspace, results, 'outputs/metrics.json'), 'utf8'))).toMatchObject({ mock: false });
    expect(existsSync(join(world.workspace, results, 'outputs/roc.png'))).toBe(true);
    return results;
  });

  await test.step('its report opens by a double click, and says what it is worth', async () => {
    const row = lab.row(NOTEBOOK);
    await row.getByRole('button', { name: folder }).first().click();
    await page.locator('.jp-DirListing-item', { hasText: '.attestation.json' }).dblclick();
    await expect(lab.report.getByRole('heading', { level: 1, name: 'Simulated' })).toBeVisible();
    await expect(lab.report.getByText('They are exactly the ones that came out of this run.')).toBeVisible();
    await expect(lab.report.locator('.jp-mod-good')).toHaveCount(0);
    await lab.report.getByText('What the verifier’s token says, claim by claim').click();
    await expect(lab.report.getByRole('cell', { name: 'hwmodel', exact: true })).toBeVisible();
  });

  await test.step('the command that it shows says the same without JupyterLab', async () => {
    const command = (await lab.report.getByRole('region', { name: 'Check it yourself' }).locator('code').first().textContent()) ?? '';
    expect(command).toBe(`cloister verify ${folder}/outcome-model.attestation.json --outputs ${folder}`);
    expect((await world.cloister(...command.split(' ').slice(1))).code).toBe(3);
  });
});
