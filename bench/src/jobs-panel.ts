import type { BrowserContext, Page } from '@playwright/test';

// Functions that are called `in…Page` run in the browser: they may use nothing of what is around them.

/** Classes of the sidebar's rows, and of what changes in them. */
const DOM = { row: 'jp-Cloister-jobs-row', name: 'jp-Cloister-jobs-name', state: 'jp-Cloister-jobs-state' } as const;

/** The sidebar's tab. */
const TAB = '.lm-TabBar-tab[data-id="cloister-jobs"]';
const LAYOUT_ADDRESS = /\/lab\/api\/workspaces\//;

/** Rows that come in later are not first. */
const PAINTED_MARK = 'cloister-rows-painted';
const ROWS_MS = 60_000;

/** Opens the sidebar. Once it has resolved, pages that are opened later show it by themselves. */
export async function openJobsPanel(page: Page): Promise<void> {
  const kept = page.waitForResponse(response => response.request().method() === 'PUT' && LAYOUT_ADDRESS.test(response.url()));
  await page.locator(TAB).click();
  await kept;
}

export async function untilRows(page: Page, rows: number): Promise<void> {
  await page.waitForFunction(inPageOfRows, { rows, row: DOM.row }, { timeout: ROWS_MS });
}

const inPageOfRows = ({ rows, row }: { readonly rows: number; readonly row: string }): boolean => document.getElementsByClassName(row).length >= rows;

/** Waits until there is a row for each of these jobs. */
export async function untilNamed(page: Page, names: readonly string[]): Promise<void> {
  await page.waitForFunction(inPageOfNames, { names, name: DOM.name }, { timeout: ROWS_MS });
}

const inPageOfNames = ({ names, name }: { readonly names: readonly string[]; readonly name: string }): boolean => {
  const shown = new Set(Array.from(document.getElementsByClassName(name), element => element.textContent));
  return names.every(wanted => shown.has(wanted));
};

/** A row that said something else than before. */
export interface RowChange {
  /** What the row calls the job. */
  readonly name: string;
  /** State of the job in words. */
  readonly said: string;
  /** Milliseconds since the epoch, as the first script after the change saw it. */
  readonly at: number;
}

interface WatchedWindow extends Window {
  cloisterRowChanges?: RowChange[];
}

/** Has the page write down each change of what a row says of its job's state. */
export async function watchRows(page: Page): Promise<void> {
  await page.evaluate(inWatchedPage, DOM);
}

function inWatchedPage({ row, name, state }: { readonly row: string; readonly name: string; readonly state: string }): void {
  const changes: RowChange[] = [];
  const before = new Map<string, string>();
  const look = (at: number): void => {
    for (const element of Array.from(document.getElementsByClassName(row))) {
      const called = element.getElementsByClassName(name)[0]?.textContent ?? '';
      const said = element.getElementsByClassName(state)[0]?.textContent ?? '';
      if (before.get(called) === said) continue;
      if (before.has(called)) changes.push({ name: called, said, at });
      before.set(called, said);
    }
  };
  look(Date.now());
  const watched: WatchedWindow = window;
  watched.cloisterRowChanges = changes;
  new MutationObserver(() => look(Date.now())).observe(document.body, { subtree: true, childList: true, characterData: true });
}

/** The first `count` changes since `watchRows`, in order. */
export async function rowChanges(page: Page, count: number): Promise<readonly RowChange[]> {
  await page.waitForFunction(inPageOfChanges, count, { timeout: ROWS_MS });
  return page.evaluate(inChangedPage);
}

const inPageOfChanges = (count: number): boolean => {
  const watched: WatchedWindow = window;
  return (watched.cloisterRowChanges?.length ?? 0) >= count;
};

const inChangedPage = (): readonly RowChange[] => {
  const watched: WatchedWindow = window;
  return watched.cloisterRowChanges ?? [];
};

/** Has every page of the browser mark when so many rows of the sidebar were on the screen for the first time. */
export async function markRows(context: BrowserContext, rows: number): Promise<void> {
  await context.addInitScript(inEveryPage, { rows, row: DOM.row, mark: PAINTED_MARK });
}

function inEveryPage({ rows, row, mark }: { readonly rows: number; readonly row: string; readonly mark: string }): void {
  const shown = document.getElementsByClassName(row);
  const observer = new MutationObserver(() => {
    if (shown.length < rows || shown[0]?.getClientRects().length === 0) return;
    observer.disconnect();
    // A task that is queued in a frame runs after that frame was drawn.
    requestAnimationFrame(() => setTimeout(() => performance.mark(mark), 0));
  });
  // By a class the panel is hidden and shown.
  observer.observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['class'] });
}

/** Of a page whose browser marks rows. @returns milliseconds from the page's first question for jobs until the rows were on the screen */
export async function askedToPainted(page: Page): Promise<number> {
  await page.waitForFunction(inPaintedPage, PAINTED_MARK, { timeout: ROWS_MS }).catch(async (cause: unknown) => {
    throw new Error(`the rows did not come; ${await page.evaluate(inEmptyPage)}`, { cause });
  });
  return page.evaluate(inAskedPage, PAINTED_MARK);
}

/** What a person would see instead, and what was asked for. */
const inEmptyPage = (): string => {
  const panel = document.getElementById('cloister-jobs');
  const said = panel === null ? 'there is no sidebar' : `the sidebar, ${panel.getClientRects().length > 0 ? 'shown' : 'hidden'}, says: ${panel.textContent.slice(0, 300)}`;
  const asked = performance.getEntriesByType('resource').filter(({ name }) => name.includes('/cloister/'));
  return `${said}; asked for: ${asked.map(({ name, startTime, duration }) => `${name} at ${Math.round(startTime)} for ${Math.round(duration)} ms`).join(', ')}`;
};

const inPaintedPage = (mark: string): boolean => performance.getEntriesByName(mark).length > 0;

const inAskedPage = (mark: string): number => {
  const asked = performance.getEntriesByType('resource').find(({ name }) => /\/cloister\/v1\/jobs\?/.test(name));
  return (performance.getEntriesByName(mark)[0]?.startTime ?? Number.NaN) - (asked?.startTime ?? Number.NaN);
};
