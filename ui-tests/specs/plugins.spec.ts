import type { Locator } from '@playwright/test';
import { COUNT_ROWS } from '../../e2e/harness/notebooks.js';
import { openPanelFromBrowser } from '../harness/job-list.js';
import { cancelAll, submitByCommand } from '../harness/jobs.js';
import type { Lab } from '../harness/lab.js';
import { mailedReport } from '../harness/reports.js';
import { expect, test } from '../harness/test.js';
import type { World } from '../harness/world.js';

const SURFACES = ['button', 'menu entry Submit', 'menu entry Jobs', 'panel', 'sidebar', 'actions', 'notices', 'report'] as const;
type Surface = (typeof SURFACES)[number];

interface Disabled {
  readonly plugin: string;
  /** What goes with it; all else must work. */
  readonly loses: readonly Surface[];
  /** Plugins that stand on it. JupyterLab itself leaves them out, and names them and what they miss in the console. */
  readonly takesAlong?: { readonly plugins: readonly string[]; readonly token: string };
}

const TABLE: readonly Disabled[] = [
  {
    plugin: 'agent',
    loses: SURFACES.filter(surface => surface !== 'report'),
    takesAlong: { plugins: ['jobs-model', 'jobs', 'commands', 'notifications', 'submit'], token: 'IAgent' }
  },
  {
    plugin: 'jobs-model',
    loses: ['sidebar', 'menu entry Jobs', 'actions', 'notices'],
    takesAlong: { plugins: ['jobs', 'commands', 'notifications'], token: 'IJobs' }
  },
  { plugin: 'jobs', loses: ['sidebar', 'menu entry Jobs', 'actions'] },
  { plugin: 'commands', loses: ['actions'] },
  { plugin: 'notifications', loses: ['notices'] },
  { plugin: 'submit', loses: ['button', 'menu entry Submit', 'panel'] },
  { plugin: 'report', loses: ['report'] },
  { plugin: 'toolbar', loses: ['button'] },
  { plugin: 'menus', loses: ['menu entry Submit', 'menu entry Jobs'] }
];

test.afterEach(async ({ server, world }) => {
  server.disable([]);
  await cancelAll(world);
});

for (const { plugin, loses, takesAlong } of TABLE) {
  test(`without the plugin cloister:${plugin}, JupyterLab starts, and all that does not stand on it works`, async ({ lab, server, world, report, watch }) => {
    const { plugins: along, token } = takesAlong ?? { plugins: [], token: undefined };
    if (along.length > 0) watch.allow(new RegExp(`^((Error activating plugin: |Plugin ')cloister:(${along.join('|')})\\b.*)?\\bTypeError: No provider for: cloister:${token}\\.`));
    const has = (surface: Surface): boolean => !loses.includes(surface);
    const notebook = `without-${plugin}.ipynb`;
    world.writeNotebook(notebook, COUNT_ROWS);
    mailedReport(world, report);
    server.disable([`cloister:${plugin}`]);
    await lab.open();
    await fileOf(lab, has('menu entry Submit') ? 'outcome-model.ipynb' : notebook).dblclick();
    await expect(lab.page.locator('.jp-NotebookPanel:visible')).toBeVisible();

    await test.step('a job is submitted', async () => submit(lab, { world, notebook, has }));
    if (has('notices')) await expect(finishedNotice(lab, notebook)).toBeVisible({ timeout: 60_000 });
    if (has('sidebar')) await test.step('the sidebar follows it', async () => follow(lab, notebook, has('actions')));
    await test.step('a report opens', async () => openReport(lab, has('report')));
    // Looked at last: what JupyterLab adds, it has added by now.
    await test.step('the menu and the toolbar offer what there is', async () => expectOffers(lab, has));
    await expect(lab.page.getByRole('tab', { name: 'Cloister jobs' })).toHaveCount(has('sidebar') ? 1 : 0);
    if (!has('notices')) await expect(finishedNotice(lab, notebook)).toHaveCount(0);
  });
}

interface Case {
  readonly world: World;
  readonly notebook: string;
  readonly has: (surface: Surface) => boolean;
}

/** By the panel where there is one, opened in one of the two ways; leaves the sidebar closed, as only then it is notified. */
async function submit(lab: Lab, { world, notebook, has }: Case): Promise<void> {
  if (!has('panel')) {
    await submitByCommand(world, notebook);
    return;
  }
  if (has('menu entry Submit')) await openPanelFromBrowser(lab, notebook);
  else await lab.openPanel(notebook);
  await lab.submit.click();
  await expect(lab.panel.getByRole('heading', { name: 'Submitted' })).toBeVisible();
  await expect(lab.panel.getByRole('button', { name: 'Show job' })).toHaveCount(has('sidebar') ? 1 : 0);
  if (!has('sidebar')) return;
  await expect(lab.jobs).toBeVisible();
  await lab.page.getByRole('tab', { name: 'Cloister jobs' }).click();
  await expect(lab.jobs).toBeHidden();
}

const fileOf = ({ page }: Lab, name: string): Locator => page.locator('.jp-DirListing-item').filter({ has: page.getByText(name, { exact: true }) });

const finishedNotice = ({ page }: Lab, notebook: string): Locator => page.getByText(`${notebook} has finished. Its outputs wait to be verified and opened.`);

async function follow(lab: Lab, notebook: string, hasActions: boolean): Promise<void> {
  await lab.showJobs();
  const row = lab.row(notebook);
  await expect(row).toContainText('Finished, not opened yet', { timeout: 60_000 });
  await lab.expand(row);
  await expect(row).toContainText('So says the operator.');
  for (const name of ['Verify and open outputs', 'Open notebook', 'Delete…']) await expect(row.getByRole('button', { name, exact: true })).toHaveCount(hasActions ? 1 : 0);
  await lab.page.getByRole('tab', { name: 'Cloister jobs' }).click();
}

async function expectOffers(lab: Lab, has: (surface: Surface) => boolean): Promise<void> {
  const { page } = lab;
  await page.getByRole('tab', { name: /\.ipynb$/ }).first().click();
  await expect(lab.submitButton).toHaveCount(has('button') ? 1 : 0);
  await page.getByRole('menuitem', { name: 'File', exact: true }).click();
  await expect(page.getByRole('menuitem', { name: /^Save Notebook As/ })).toBeVisible();
  await expect(page.getByRole('menuitem', { name: 'Submit to TEE', exact: true })).toHaveCount(has('menu entry Submit') ? 1 : 0);
  await expect(page.getByRole('menuitem', { name: 'Cloister Jobs', exact: true })).toHaveCount(has('menu entry Jobs') ? 1 : 0);
  await page.keyboard.press('Escape');
}

/** Without its viewer a report is a file of JSON as any other. */
async function openReport(lab: Lab, hasViewer: boolean): Promise<void> {
  const { page } = lab;
  await fileOf(lab, 'reports').dblclick();
  await fileOf(lab, 'reported.attestation.json').dblclick();
  if (hasViewer) await expect(lab.report.getByRole('heading', { level: 1 })).toBeVisible();
  else await expect(page.locator('.jp-RenderedJSON:visible, .jp-FileEditor:visible')).toContainText('statement');
}
