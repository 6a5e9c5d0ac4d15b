import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test as base, type Page } from '@playwright/test';
import { buildReportPage } from '@cloister/report-page';
import { PAGES, ReportPages, hostileInputs, pageInput, type PageName } from '../harness/report-pages.js';

// No JupyterLab here: a file that was mailed, opened from the disk.
const SCREENSHOTS = fileURLToPath(new URL('../../test-results/screenshots/', import.meta.url));
const WORDS: Readonly<Record<PageName, string>> = {
  verified: 'Verified',
  simulated: 'Simulated',
  failed: 'Not verified',
  tampered: 'Not verified',
  inconclusive: 'Could not check',
  'no-report': 'Not verified'
};
const GREENS = ['rgb(26, 127, 55)', 'rgb(76, 195, 107)'];

interface Seen {
  /** Addresses that the page asked for, besides its own. */
  readonly requests: string[];
  /** What the browser complained about. */
  readonly errors: string[];
}

const test = base.extend<{ readonly pages: ReportPages; readonly seen: Seen }>({
  pages: async ({}, use) => {
    const pages = new ReportPages();
    await use(pages);
    pages.close();
  },
  seen: async ({ page }, use) => {
    const seen: Seen = { requests: [], errors: [] };
    page.on('request', request => {
      if (request.url() !== page.url() && !request.isNavigationRequest()) seen.requests.push(request.url());
    });
    page.on('console', message => {
      if (message.type() === 'error') seen.errors.push(message.text());
    });
    page.on('pageerror', error => seen.errors.push(error.message));
    await use(seen);
  }
});

async function violations(page: Page): Promise<string[]> {
  const { violations: found, passes } = await new AxeBuilder({ page }).analyze();
  if (passes.length === 0) return ['nothing was checked'];
  return found.flatMap(({ id, nodes }) => nodes.map(node => `${id}: ${node.target.join(' ')}: ${node.failureSummary ?? ''}`));
}

/** Colours of everything that is drawn, where they are the ones that mean yes. */
function greens(page: Page): Promise<number> {
  return page.evaluate(
    colours => Array.from(document.querySelectorAll('*')).filter(element => ['color', 'stroke', 'borderTopColor', 'backgroundColor'].some(name => colours.includes(getComputedStyle(element).getPropertyValue(name === 'borderTopColor' ? 'border-top-color' : name === 'backgroundColor' ? 'background-color' : name)))).length,
    GREENS
  );
}

for (const name of PAGES) {
  for (const colorScheme of ['light', 'dark'] as const) {
    test(`${name}, ${colorScheme}: its verdict, nothing loaded, nothing that axe finds`, async ({ page, pages, seen }) => {
      await page.emulateMedia({ colorScheme });
      await page.goto(await pages.export(name, await pageInput(name)));
      await expect(page.getByRole('status').getByRole('heading', { level: 1 })).toHaveText(WORDS[name]);
      await page.screenshot({ path: `${SCREENSHOTS}report-page-${name}-${colorScheme}.png`, fullPage: true });
      expect(await greens(page) > 0, 'green is for verified alone').toBe(name === 'verified');
      await page.evaluate(() => {
        for (const details of Array.from(document.querySelectorAll('details'))) details.open = true;
      });
      expect(await greens(page) > 0, 'green is for verified alone').toBe(name === 'verified');
      expect(await violations(page)).toEqual([]);
      expect(seen).toEqual({ requests: [], errors: [] });
    });
  }
}

test('reads well at 320 px, and nothing is wider than the page', async ({ page, pages }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  for (const name of ['verified', 'failed'] as const) {
    await page.goto(await pages.export(name, await pageInput(name)));
    await expect(page.locator('h1')).toHaveText(WORDS[name]);
    await page.evaluate(() => {
      for (const details of Array.from(document.querySelectorAll('details'))) details.open = true;
    });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
    await page.screenshot({ path: `${SCREENSHOTS}report-page-${name}-320.png`, fullPage: true });
    expect(await violations(page)).toEqual([]);
  }
});

test('prints all of it, with the job and the verdict on every sheet', async ({ page, pages }) => {
  for (const name of ['verified', 'failed', 'simulated'] as const) {
    await page.goto(await pages.export(name, await pageInput(name)));
    await expect(page.locator('h1')).toHaveText(WORDS[name]);
    await page.pdf({ path: `${SCREENSHOTS}report-page-${name}.pdf`, preferCSSPageSize: true, printBackground: false });
    await page.emulateMedia({ media: 'print' });
    await expect(page.locator('.running')).toBeVisible();
    await expect(page.locator('.running')).toContainText(`${WORDS[name]}: attestation report of job `);
    await expect(page.getByText('This page was made by someone.')).toBeVisible();
    await page.evaluate(() => window.dispatchEvent(new Event('beforeprint')));
    await expect(page.locator('details:not([open]):not(.no-print)')).toHaveCount(0);
    await page.emulateMedia({ media: null });
  }
});

test('hands out exactly the bytes that it verified', async ({ page, pages }) => {
  const input = await pageInput('verified');
  await page.goto(await pages.export('verified', input));
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download the report' }).click();
  const file = await download;
  expect(file.suggestedFilename()).toMatch(/^[0-9a-f]{12}-1\.attestation\.json$/);
  expect(new Uint8Array(readFileSync(await file.path()))).toEqual(input.report);
});

test('a page whose program, style or policy was changed does not run it', async ({ page, pages }) => {
  const html = await buildReportPage(await pageInput('failed'));
  const changed = {
    program: html.replace('Something contradicts.', 'All that counts holds..'),
    'one more script': html.replace('</body>', '<script>window.cloisterHacked=1;document.querySelector("h1").textContent="Verified"</script></body>'),
    'a handler': html.replace('<h1>', '<h1 onmouseover="window.cloisterHacked=1">').replace('<noscript>', '<img src=x onerror="window.cloisterHacked=1"><noscript>')
  };
  for (const [name, text] of Object.entries(changed)) {
    expect(text).not.toBe(html);
    await page.goto(pages.write(name, text));
    await page.locator('h1').hover();
    expect(await page.evaluate(() => 'cloisterHacked' in window), name).toBe(false);
    await expect(page.locator('h1')).toHaveText(name === 'program' ? 'Not verified yet' : 'Not verified');
  }
  await page.goto(pages.write('style', html.replace('<style>', '<style>h1{visibility:hidden}')));
  await expect(page.locator('h1')).toBeVisible();
});

test('hostile texts stay text and leave the page quick', async ({ page, pages, seen }) => {
  for (const { name, input } of hostileInputs(await pageInput('verified'))) {
    await page.goto(await pages.export('hostile', input));
    await expect(page.locator('h1'), name).toHaveText(/^(Not verified|Verified)$/);
    expect(await page.evaluate(() => 'cloisterHacked' in window || 'cloisterHacked' in Object.prototype), name).toBe(false);
    await expect(page.locator('img, iframe, script:not([type="application/json"]):not(:last-of-type)')).toHaveCount(0);
    expect(await page.locator('body').innerText(), name).not.toMatch(/[\u2028\u202e]/);
  }
  expect(seen).toEqual({ requests: [], errors: [] });
});

test('without cryptography it says why, gives no verdict and still hands out the report', async ({ page, pages }) => {
  await page.addInitScript(() => {
    Object.defineProperty(window, 'crypto', { value: {} });
  });
  await page.goto(await pages.export('no-crypto', await pageInput('verified')));
  await expect(page.getByRole('status')).toContainText('Nothing was verified');
  await expect(page.getByRole('status')).toContainText('This browser offers no cryptography here');
  await expect(page.locator('.icon')).toHaveCount(0);
  expect(await greens(page)).toBe(0);
  await expect(page.getByRole('link', { name: 'Download the report' })).toBeVisible();
});

test('with its data damaged it says so and gives no verdict', async ({ page, pages }) => {
  const html = await buildReportPage(await pageInput('verified'));
  await page.goto(pages.write('damaged', html.replace('"verifiers":[', '"verifiers":[7,')));
  await expect(page.locator('h1')).toHaveText('Nothing was verified');
  await expect(page.getByRole('status')).toContainText('The data in this page is damaged or was changed.');
});

test('with scripting off it says that nothing was verified', async ({ playwright, launchOptions, pages }) => {
  // Playwright's own way turns scripts off and still parses the page as if they ran, so that <noscript> stays hidden.
  const browser = await playwright.chromium.launch({ ...launchOptions, args: [...(launchOptions.args ?? []), '--blink-settings=scriptEnabled=false'] });
  try {
    const page = await browser.newPage();
    await page.goto(await pages.export('off', await pageInput('verified')));
    const accessibility = await (await page.context().newCDPSession(page)).send('Accessibility.getFullAXTree');
    const text = accessibility.nodes.map(node => String(node.name?.value ?? '')).join('\n');
    expect(text).toContain('Not verified yet');
    expect(text).toContain('Scripting is off in this browser, so nothing was verified.');
    await page.screenshot({ path: `${SCREENSHOTS}report-page-no-script.png` });
  } finally {
    await browser.close();
  }
});

test('is used by the keyboard alone', async ({ page, pages }) => {
  await page.goto(await pages.export('keys', await pageInput('verified')));
  await expect(page.locator('h1')).toHaveText('Verified');
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'What to make of that' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: /Whose verdict this is/ })).toBeInViewport();
  const question = page.locator('.question').first();
  await question.locator('summary').focus();
  await page.keyboard.press('Enter');
  await expect(question).toHaveAttribute('open');
});
