import type { BrowserContext } from '@playwright/test';

import { chromiumProgram } from './config.js';
import type { Bench } from './figure.js';

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
];

/**
 * A browser with a profile of its own, kept on disk: so pages find what was cached of earlier ones, compiled scripts too,
 * as in a browser that a person uses every day.
 */
export async function openBrowser({ resources }: Bench): Promise<BrowserContext> {
  // Loaded only where it is needed: the other figures are taken without it.
  const { chromium } = await import('@playwright/test');
  const context = await chromium.launchPersistentContext(await resources.folder('browser'), {
    executablePath: chromiumProgram(),
    args: ARGS,
    viewport: { width: 1400, height: 900 }
  });
  resources.onEnd(() => context.close());
  return context;
}
