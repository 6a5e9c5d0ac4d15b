import { COUNT_ROWS, slowCells } from '../../e2e/harness/notebooks.js';
import { cancelAll, runOnce, submitByCommand } from '../harness/jobs.js';
import { look } from '../harness/look.js';
import { allowAgain, stopPolicy } from '../harness/policies.js';
import { changedReport } from '../harness/reports.js';
import { expect, test } from '../harness/test.js';

const THEMES = [
  { name: 'light', theme: 'JupyterLab Light' },
  { name: 'dark', theme: 'JupyterLab Dark' }
] as const;

test.afterAll(({ server }) => server.setTheme('JupyterLab Light'));

for (const { name, theme } of THEMES) {
  test(`axe finds nothing on the Submit panel, ${name}`, async ({ lab, page, server, world }) => {
    server.setTheme(theme);
    await lab.openNotebook('outcome-model.ipynb');
    await lab.save();
    await lab.openPanel('outcome-model.ipynb');
    await expect(lab.submit).toBeEnabled();
    await look(page, `panel-ready-${name}`);
    await page.setViewportSize({ width: 700, height: 900 });
    await look(page, `panel-narrow-${name}`);
    await page.setViewportSize({ width: 1400, height: 900 });
    await stopPolicy(world, 'registry');
    try {
      await lab.panel.getByRole('button', { name: 'Refresh', exact: true }).click();
      await expect(lab.panel.getByText(/^registry would deny/)).toBeVisible();
      await lab.panel.getByRole('article', { name: 'registry/outcomes' }).scrollIntoViewIfNeeded();
      await look(page, `panel-denied-${name}`);
    } finally {
      await allowAgain(world, 'registry');
    }
  });

  test(`axe finds nothing on the job sidebar, ${name}`, async ({ lab, page, server, world }) => {
    server.setTheme(theme);
    await runOnce(world, 'fine.ipynb', COUNT_ROWS);
    await runOnce(world, 'fails.ipynb', ['import cloister\ncloister.path("hospital/measurements")', 'raise ValueError("as a mistake does")']);
    world.writeNotebook('takes-long.ipynb', slowCells(120));
    await submitByCommand(world, 'takes-long.ipynb');
    try {
      await lab.open();
      await lab.showJobs();
      await expect(lab.row('takes-long.ipynb')).toContainText('Running');
      await look(page, `sidebar-list-${name}`);
      for (const [notebook, state] of [['takes-long.ipynb', 'running'], ['fails.ipynb', 'failed'], ['fine.ipynb', 'finished']] as const) {
        await lab.expand(lab.row(notebook));
        await look(page, `sidebar-${state}-${name}`);
        await lab.row(notebook).getByRole('button', { expanded: true }).click();
      }
    } finally {
      await cancelAll(world);
    }
  });

  test(`axe finds nothing on the report viewer, ${name}`, async ({ lab, page, server, world, report }) => {
    server.setTheme(theme);
    await lab.open(report.path);
    await expect(lab.report.getByText('They are exactly the ones that came out of this run.')).toBeVisible();
    await look(page, `report-simulated-${name}`);
    await lab.report.locator('details').evaluateAll(all => all.forEach(details => details.setAttribute('open', '')));
    await page.setViewportSize({ width: 1400, height: 5600 });
    await look(page, `report-simulated-open-${name}`);
    await page.setViewportSize({ width: 700, height: 900 });
    await look(page, `report-narrow-${name}`);
    await page.setViewportSize({ width: 1400, height: 900 });

    const letter = (text: string): string => text.replace(/("statement"\s*:\s*"[^"]{1200})(.)/, (_all, before: string, old: string) => before + (old === 'A' ? 'B' : 'A'));
    await lab.open(changedReport(world, report, { name: 'looked-at.attestation.json', change: letter }));
    await expect(lab.report.getByRole('heading', { level: 1, name: 'Not verified' })).toBeVisible();
    await look(page, `report-failed-${name}`);
    await lab.open(changedReport(world, report, { name: 'too-large.attestation.json', change: text => text + ' '.repeat(9 * 1024 * 1024) }));
    await expect(lab.report.getByRole('heading', { level: 1, name: 'Could not check' })).toBeVisible();
    await look(page, `report-could-not-check-${name}`);
  });

  test(`axe finds nothing on messages, notifications and dialogs, ${name}`, async ({ lab, page, context, server, world, watch }) => {
    server.setTheme(theme);
    world.writeNotebook('told-of.ipynb', COUNT_ROWS);
    await lab.openNotebook('told-of.ipynb');
    await lab.submitNotebook('told-of.ipynb');
    await expect(page.getByText('Submitted told-of.ipynb. It runs on by itself.')).toBeVisible();
    await look(page, `submitted-${name}`);
    await cancelAll(world);
    await lab.expand(lab.row('told-of.ipynb'));
    await lab.row('told-of.ipynb').getByRole('button', { name: 'Delete…' }).click();
    await expect(page.getByRole('dialog')).toBeVisible();
    await look(page, `delete-dialog-${name}`);
    await page.getByRole('dialog').getByRole('button', { name: 'Keep' }).click();

    // As where the Python package is not installed beside Jupyter Server.
    watch.allow(/404|WebSocket/);
    await context.route(/\/cloister\/v1\//, async route => route.fulfill({ status: 404, contentType: 'text/html', body: '<html>Not Found</html>' }));
    await lab.reload();
    await lab.showJobs();
    await expect(lab.jobs.getByText('Jupyter Server does not know Cloister’s agent.')).toBeVisible();
    await look(page, `agent-missing-${name}`);
  });
}
