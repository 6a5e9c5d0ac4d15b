import type { Locator, Page } from '@playwright/test';
import { COUNT_ROWS } from '../../e2e/harness/notebooks.js';
import { expect, test } from '../harness/test.js';

const MOST_STEPS = 120;

/** Presses Tab until an element has the focus. @throws where it cannot be reached, or where the focus cannot be seen */
async function tabTo(page: Page, target: Locator): Promise<void> {
  for (let step = 0; step < MOST_STEPS; step += 1) {
    if (await target.evaluate(element => element === document.activeElement || element.contains(document.activeElement))) {
      const outlined = await page.evaluate(() => {
        const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(document.activeElement ?? document.body);
        return (outlineStyle !== 'none' && outlineWidth !== '0px') || boxShadow !== 'none';
      });
      expect(outlined, 'the focus is seen').toBe(true);
      return;
    }
    await page.keyboard.press('Tab');
  }
  throw new Error('Tab does not get there');
}

test('by keyboard alone: from the panel over Submit to the outputs and the report', async ({ lab, page, world }) => {
  world.writeNotebook('by-keyboard.ipynb', COUNT_ROWS);
  await lab.openNotebook('by-keyboard.ipynb');
  await lab.submitButton.focus();
  await page.keyboard.press('Enter');
  const save = page.getByRole('dialog').getByRole('button', { name: 'Save and continue' });
  await expect(save.or(lab.panel)).toBeVisible();
  if (await save.isVisible()) await page.keyboard.press('Enter');

  await expect(lab.submit).toBeEnabled();
  await lab.panel.getByRole('heading', { level: 1 }).click();
  await tabTo(page, lab.panel.getByLabel('Purpose'));
  await page.keyboard.type('typed without a mouse');
  await tabTo(page, lab.submit);
  await page.keyboard.press('Enter');
  await expect(lab.panel.getByRole('heading', { name: 'Submitted' })).toBeVisible();

  const row = lab.row('by-keyboard.ipynb');
  await expect(row).toContainText('Finished, not opened yet', { timeout: 60_000 });
  const open = row.getByRole('button', { name: 'Verify and open outputs' });
  await expect(open).toBeVisible();
  await row.getByRole('button', { expanded: true }).focus();
  await tabTo(page, open);
  await page.keyboard.press('Enter');
  await expect(row.getByText(/Opened \d+ files/)).toBeVisible();
  await row.getByRole('button', { expanded: true }).focus();
  await tabTo(page, row.getByRole('button', { name: 'Report', exact: true }));
  await page.keyboard.press('Enter');
  await expect(lab.report.getByRole('heading', { level: 1, name: 'Simulated' })).toBeVisible();
});
