import { expect, type BrowserContext, type Locator, type Page } from '@playwright/test';
import type { JupyterServer } from './jupyter-server.js';

/** JupyterLab in one tab, as a person finds her way in it: by roles and names. */
export class Lab {
  readonly page: Page;
  readonly server: JupyterServer;
  readonly #layout: string;

  /** @param layout JupyterLab keeps a layout under each name; one of its own keeps tests apart */
  constructor(page: Page, server: JupyterServer, layout: string) {
    this.page = page;
    this.server = server;
    this.#layout = layout;
  }

  urlOf(path = ''): string {
    return `${this.server.baseUrl}lab/workspaces/${this.#layout}${path === '' ? '' : `/tree/${path}`}`;
  }

  /** Opens JupyterLab, and in it a file of the workspace; the login must be there. */
  async open(path = ''): Promise<void> {
    await this.page.goto(this.urlOf(path));
    await this.ready();
  }

  /** Opens a notebook and waits until its kernel can be used. */
  async openNotebook(path: string): Promise<void> {
    await this.open(path);
    await this.kernelReady();
  }

  /** JupyterLab writes into a notebook once more when the kernel tells its language, so one press may come too early. */
  async save(): Promise<void> {
    await expect(async () => {
      await this.page.locator('.jp-NotebookPanel:visible').getByRole('button', { name: /^Save/ }).click();
      await expect(this.page.locator('.jp-DirListing-item.jp-mod-dirty')).toHaveCount(0, { timeout: 2_000 });
    }).toPass({ timeout: 30_000 });
  }

  async reload(): Promise<void> {
    await this.page.reload();
    await this.ready();
  }

  /** Resolves when JupyterLab can be used. */
  async ready(): Promise<void> {
    await expect(this.page.locator('#jp-main-dock-panel')).toBeVisible({ timeout: 60_000 });
    await expect(this.page.locator('#jupyterlab-splash')).toHaveCount(0);
  }

  get jobs(): Locator {
    return this.page.getByRole('region', { name: 'Cloister jobs' });
  }

  /** Opens the sidebar, unless it is open. */
  async showJobs(): Promise<Locator> {
    if (!(await this.jobs.isVisible())) await this.page.getByRole('tab', { name: 'Cloister jobs' }).click();
    await expect(this.jobs).toBeVisible();
    return this.jobs;
  }

  /** The row of the newest job of a notebook. */
  row(notebook: string): Locator {
    return this.jobs.getByRole('listitem').filter({ has: this.page.getByText(notebook, { exact: true }) }).first();
  }

  async expand(row: Locator): Promise<void> {
    const head = row.getByRole('button', { expanded: false });
    if (await head.isVisible()) await head.click();
    await expect(row.getByRole('button', { expanded: true })).toBeVisible();
  }

  /** The notebook's toolbar button. */
  get submitButton(): Locator {
    return this.page.locator('.jp-NotebookPanel:visible').getByRole('button', { name: 'Submit to TEE' });
  }

  async focusTab(name: string): Promise<void> {
    await this.page.getByRole('tab', { name, exact: true }).click();
  }

  /** What JupyterLab keeps of this layout at the server. */
  async keptLayout(): Promise<string> {
    const reply = await this.page.request.get(`${this.server.baseUrl}lab/api/workspaces/${this.#layout}`);
    return reply.text();
  }

  /** Waits until the notebook's kernel can be used. */
  async kernelReady(): Promise<void> {
    await expect(this.page.locator('.jp-NotebookPanel:visible .jp-Notebook-ExecutionIndicator')).toHaveAttribute('data-status', 'idle', { timeout: 60_000 });
  }

  async runAllCells(): Promise<void> {
    await this.kernelReady();
    await this.page.getByRole('menuitem', { name: 'Run', exact: true }).click();
    await this.page.getByRole('menuitem', { name: 'Run All Cells', exact: true }).click();
  }

  /** The Submit panel that is in front. */
  get panel(): Locator {
    return this.page.locator('.jp-Cloister-submit:visible');
  }

  get submit(): Locator {
    return this.panel.getByRole('button', { name: 'Submit', exact: true });
  }

  /** Presses the toolbar's button and waits for the panel. */
  async openPanel(notebook: string): Promise<Locator> {
    await this.submitButton.click();
    const heading = this.panel.getByRole('heading', { level: 1, name: `Submit ${notebook}` });
    const save = this.page.getByRole('dialog').getByRole('button', { name: 'Save and continue' });
    // JupyterLab itself writes the kernel's language into a notebook, at a moment of its own: then it is asked about.
    await expect(heading.or(save)).toBeVisible();
    if (await save.isVisible()) await save.click();
    await expect(heading).toBeVisible();
    return this.panel;
  }

  /** From the toolbar's button to the job. */
  async submitNotebook(notebook: string): Promise<void> {
    await this.openPanel(notebook);
    await this.submit.click();
    await expect(this.panel.getByRole('heading', { name: 'Submitted' })).toBeVisible();
  }

  get report(): Locator {
    return this.page.getByRole('article', { name: /^Attestation report/ });
  }
}

/** Logs in without a page: the cookies are in every tab of the context. */
export async function logIn(context: BrowserContext, server: JupyterServer): Promise<void> {
  const reply = await context.request.get(`${server.baseUrl}lab?token=${server.token}`);
  expect(reply.ok()).toBe(true);
}

/** Types the token into Jupyter's login page, which is open. */
export async function logInByPage(page: Page, server: JupyterServer): Promise<void> {
  await page.getByRole('textbox', { name: 'Password or token:' }).fill(server.token);
  await page.getByRole('button', { name: 'Log in', exact: true }).click();
  await page.waitForURL(/\/(lab|tree)/);
}
