import { fileURLToPath } from 'node:url';
import { AxeBuilder } from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

const FOLDER = fileURLToPath(new URL('../../test-results/screenshots/', import.meta.url));

/** Violations of accessibility rules within Cloister's own elements, one line each; nothing of ours on the page is one too. */
export async function violations(page: Page): Promise<string[]> {
  const { violations: found, passes } = await new AxeBuilder({ page }).include('.jp-Cloister').analyze();
  if (passes.length === 0) return ['nothing was checked'];
  return found.flatMap(({ id, help, nodes }) => nodes.map(node => `${id}: ${help}: ${node.target.join(' ')}: ${node.failureSummary ?? ''}`));
}

/** Keeps a picture of a surface, and requires that axe finds nothing in it. */
export async function look(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: `${FOLDER}${name}.png`, animations: 'disabled' });
  expect.soft(await violations(page), `accessibility of ${name}`).toEqual([]);
}
