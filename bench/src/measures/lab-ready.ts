import type { BrowserContext } from '@playwright/test';

import { openBrowser } from '../browser.js';
import type { Bench, Measurement } from '../figure.js';
import { startLab, type LabOptions } from '../lab.js';
import { hasPlugin, markReady, openLab } from '../page-marks.js';
import { compare, takeTurns } from '../pairs.js';
import { createSlice, startSlice } from '../slice.js';

const PAIRS = 41;
/** Of each side, until the browser has cached and compiled all that it ever will. */
const WARM_UP = 4;

/** What the extension costs everybody who opens JupyterLab, whether or not they use it that day. */
export const labReady: Measurement = {
  ids: ['lab-ready'],
  run: async bench => {
    const { home, stop } = await startSlice(bench, await createSlice(bench));
    const workspace = await bench.resources.folder('workspace');
    const withIt = await openSide(bench, { home, workspace, withExtension: true });
    const without = await openSide(bench, { home, workspace, withExtension: false });
    try {
      const sides = { ours: withIt.load, peer: without.load };
      bench.say(`lab-ready: ${WARM_UP} pairs to warm up, ${PAIRS} pairs`);
      await takeTurns(WARM_UP, sides);
      const note = 'page load to app.restored, by the clock of the page, files and compiled scripts cached, agent running / JupyterLab without the extension';
      return [{ id: 'lab-ready', ...compare(await takeTurns(PAIRS, sides)), ratioLimit: 1.05, unit: 'ms', note }];
    } finally {
      await withIt.end();
      await without.end();
      await stop();
    }
  }
};

interface Side {
  readonly load: () => Promise<number>;
  readonly end: () => Promise<void>;
}

/** Each side has its own server and its own browser: cookies go by host, not by port. */
async function openSide(bench: Bench, { withExtension, ...options }: LabOptions & { readonly withExtension: boolean }): Promise<Side> {
  const lab = await startLab(bench, { ...options, withExtension });
  const browser = await openBrowser(bench);
  await markReady(browser);
  return {
    load: () => loadOnce(browser, lab.url, withExtension),
    end: async () => {
      await browser.close();
      await lab.stop();
    }
  };
}

async function loadOnce(browser: BrowserContext, url: string, withExtension: boolean): Promise<number> {
  const page = await browser.newPage();
  try {
    const ready = await openLab(page, url);
    // A figure of two equal sides would look as good as it gets.
    if ((await hasPlugin(page, 'cloister:agent')) !== withExtension) throw new Error(`the extension is ${withExtension ? 'not in the page' : 'in the page'}`);
    return ready;
  } finally {
    await page.close();
  }
}
