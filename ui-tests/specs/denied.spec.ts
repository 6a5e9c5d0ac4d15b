import { COUNT_ROWS } from '../../e2e/harness/notebooks.js';
import { jobsOf } from '../harness/jobs.js';
import { allowAgain, stopPolicy } from '../harness/policies.js';
import { expect, test } from '../harness/test.js';

test('an asset whose policy denies: the panel says so and why, nothing can be sent, and Refresh goes on when the owner allows', async ({ lab, world }) => {
  world.writeNotebook('denied.ipynb', COUNT_ROWS);
  const before = (await jobsOf(world)).length;
  await stopPolicy(world, 'hospital');
  try {
    await lab.openNotebook('denied.ipynb');
    const panel = await lab.openPanel('denied.ipynb');
    const card = panel.getByRole('article', { name: 'hospital/measurements' });
    await expect(card).toContainText('Would be denied');
    await expect(panel.getByRole('article', { name: 'registry/outcomes' })).toContainText('Allowed');
    await expect(panel.getByText(/^hospital would deny: .+/)).toBeVisible();
    await expect(lab.submit).toBeDisabled();
    await lab.submit.click({ force: true });
    await lab.submit.press('Enter');
    expect((await jobsOf(world)).length).toBe(before);
  } finally {
    await allowAgain(world, 'hospital');
  }
  await lab.panel.getByRole('button', { name: 'Refresh', exact: true }).click();
  await expect(lab.submit).toBeEnabled();
  await expect(lab.panel.getByRole('article', { name: 'hospital/measurements' })).toContainText('Allowed');
});

test('a policy stopped after the panel was made: nothing is sent, and the panel says what changed', async ({ lab, world }) => {
  world.writeNotebook('stopped.ipynb', COUNT_ROWS);
  const before = (await jobsOf(world)).length;
  await lab.openNotebook('stopped.ipynb');
  const panel = await lab.openPanel('stopped.ipynb');
  await expect(lab.submit).toBeEnabled();
  await panel.getByLabel('Purpose').fill('typed before the policy was stopped');
  await stopPolicy(world, 'registry');
  try {
    await lab.submit.click();
    await expect(panel.getByText(/look again|would deny|Would be denied/).first()).toBeVisible();
    await expect(panel.getByRole('heading', { name: 'Submitted' })).toHaveCount(0);
    await expect(panel.getByLabel('Purpose')).toHaveValue('typed before the policy was stopped');
    expect((await jobsOf(world)).length).toBe(before);
  } finally {
    await allowAgain(world, 'registry');
  }
});
