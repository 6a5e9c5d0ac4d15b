import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { poisonPlainly, poisonReport, swellReport } from '../harness/hostile-report.js';
import { changedReport } from '../harness/reports.js';
import { expect, test } from '../harness/test.js';

/** Whether anything of a hostile report came to life: a script that ran, or an element that it named. */
async function injected(page: Page): Promise<unknown> {
  return page.evaluate(() => ({
    ran: Reflect.has(window, 'cloisterHacked') || Reflect.has({}, 'cloisterHacked'),
    elements: [...document.querySelectorAll('.jp-Cloister img, .jp-Cloister script, .jp-Cloister iframe, .jp-Cloister b')].map(element => element.outerHTML.slice(0, 200)),
    links: [...document.querySelectorAll('.jp-Cloister a')].map(link => link.getAttribute('href')).filter(href => href === null || !/^(https:|http:\/\/127\.0\.0\.1|\/)/.test(href))
  }));
}

/** How long the page takes to answer a frame and a click's worth of work. */
async function answerTime(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const begun = performance.now();
    await new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve, 0)));
    return performance.now() - begun;
  });
}

test('an untouched report is simulated, in words and without green, with its claims and its command', async ({ lab, world, report }) => {
  await lab.open(report.path);
  await expect(lab.report.getByRole('heading', { level: 1, name: 'Simulated' })).toBeVisible();
  await expect(lab.report).not.toContainText('Not verified');
  await expect(lab.report.locator('.jp-mod-good')).toHaveCount(0);
  await expect(lab.report.getByRole('region', { name: 'Questions' })).toContainText('Does genuine hardware vouch for it?');
  await lab.report.getByText('What the verifier’s token says, claim by claim').click();
  await expect(lab.report.getByRole('cell', { name: 'hwmodel', exact: true })).toBeVisible();
  const command = (await lab.report.getByRole('region', { name: 'Check it yourself' }).locator('code').first().textContent()) ?? '';
  expect(command).toMatch(/^cloister verify /);
  expect((await world.cloister(...command.split(' ').slice(1))).code).toBe(3);
});

test('one byte changed: not verified', async ({ lab, world, report }) => {
  // A letter in the middle of the statement, kept a letter of base64: the report is still well formed.
  const path = changedReport(world, report, {
    name: 'one-byte.attestation.json',
    change: text => text.replace(/("statement"\s*:\s*"[^"]{1200})(.)/, (_all, before: string, letter: string) => before + (letter === 'A' ? 'B' : 'A'))
  });
  await lab.open(path);
  await expect(lab.report.getByRole('heading', { level: 1, name: 'Not verified' })).toBeVisible();
  await expect(lab.report.locator('.jp-mod-good')).toHaveCount(0);
});

test('one byte of an output changed: the files are not the ones of the report', async ({ lab, world, report }) => {
  const file = join(world.workspace, report.folder, 'outputs/counts.txt');
  const before = readFileSync(file);
  try {
    writeFileSync(file, before.toString().replace(/^./, digit => (digit === '1' ? '2' : '1')));
    await lab.open(report.path);
    await expect(lab.report.getByText(/They are not the ones that came out of this run/)).toBeVisible();
    await expect(lab.report.getByRole('heading', { level: 1, name: 'Not verified' })).toBeVisible();
    await expect(lab.report.locator('.jp-mod-good')).toHaveCount(0);
  } finally {
    writeFileSync(file, before);
  }
});

for (const { title, name, change } of [
  { title: 'markup in every field', name: 'markup.attestation.json', change: poisonReport },
  { title: 'markup in place of every text', name: 'plain.attestation.json', change: poisonPlainly },
  { title: 'absurd sizes and depths', name: 'swollen.attestation.json', change: swellReport }
]) {
  test(`a hostile report stays text: ${title}`, async ({ lab, page, world, report }) => {
    await lab.open(changedReport(world, report, { name, change }));
    await expect(lab.report.getByRole('heading', { level: 1, name: 'Not verified' })).toBeVisible();
    // All that can be opened is open, so that nothing waits unseen.
    await lab.report.locator('details').evaluateAll(all => all.forEach(details => details.setAttribute('open', '')));
    expect(await injected(page)).toEqual({ ran: false, elements: [], links: [] });
    expect(await lab.report.innerText()).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
    expect(await answerTime(page)).toBeLessThan(2_000);
  });
}

test('a file that is no report is said to be none', async ({ lab, world, report }) => {
  for (const [name, text] of [['empty', ''], ['words', 'not JSON <b>at all</b>'], ['other', '{"v":1}'], ['list', '[]']] as const) {
    await lab.open(changedReport(world, report, { name: `${name}.attestation.json`, change: () => text }));
    await expect(lab.report.getByRole('heading', { level: 1, name: 'Not verified' })).toBeVisible();
    await expect(lab.report.getByText(/This file cannot be read as an attestation report/)).toBeVisible();
  }
});
