import type { BrowserContext, Page } from '@playwright/test';

// Functions that are called `in…Page` run in the browser: they may use nothing of what is around them.

/** Marks of the browser's own timeline. Their times are milliseconds since the page began to load. */
export const READY_MARK = 'lab-ready';

const READY_MS = 60_000;

interface LabApp {
  readonly restored: Promise<unknown>;
  readonly isPluginActivated: (id: string) => boolean;
}

interface LabWindow extends Window {
  readonly jupyterapp?: LabApp;
}

/** Has every page of the browser mark when JupyterLab has restored its layout, which is when the splash screen goes. */
export async function markReady(context: BrowserContext): Promise<void> {
  await context.addInitScript(inEveryPage, READY_MARK);
}

function inEveryPage(mark: string): void {
  let app: LabApp | undefined;
  Object.defineProperty(window, 'jupyterapp', {
    configurable: true,
    get: () => app,
    set: (given: LabApp) => {
      app = given;
      void given.restored.then(() => performance.mark(mark));
    }
  });
}

/** Opens JupyterLab and waits until it is ready. @returns when that was, in milliseconds since the page began to load */
export async function openLab(page: Page, url: string): Promise<number> {
  await page.goto(url);
  await page.waitForFunction(inReadyPage, READY_MARK, { timeout: READY_MS });
  return page.evaluate(inMarkedPage, READY_MARK);
}

const inReadyPage = (mark: string): boolean => performance.getEntriesByName(mark).length > 0;

const inMarkedPage = (mark: string): number => performance.getEntriesByName(mark)[0]?.startTime ?? Number.NaN;

/** Whether a plugin of that id runs in the page. */
export async function hasPlugin(page: Page, id: string): Promise<boolean> {
  return page.evaluate(inAskedPage, id);
}

const inAskedPage = (id: string): boolean => {
  const asked: LabWindow = window;
  return asked.jupyterapp?.isPluginActivated(id) === true;
};

/** When the page's next frame begins, in milliseconds since the epoch. */
export async function nextFrame(page: Page): Promise<number> {
  return page.evaluate(inFramedPage);
}

const inFramedPage = (): Promise<number> => new Promise(resolve => requestAnimationFrame(() => resolve(Date.now())));
