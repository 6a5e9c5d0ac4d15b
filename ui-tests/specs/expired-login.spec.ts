import { logInByPage } from '../harness/lab.js';
import { expect, test } from '../harness/test.js';

test('an expired login is said in words and leads to the login page, and afterwards all is well', async ({ lab, page, context, server, watch }) => {
  watch.allow(/status of (401|403|500|502|503|504)|ERR_CONNECTION_REFUSED|WebSocket connection/);
  await lab.open();
  const jobs = await lab.showJobs();
  await expect(jobs.getByText('Your login to Jupyter has expired.')).toHaveCount(0);

  // The cookie is gone, as after its time; the agent’s socket breaks, as when Jupyter or a proxy on the way restarts.
  await context.clearCookies();
  await server.stop();
  await server.start();

  await expect(jobs.getByText('Your login to Jupyter has expired.')).toBeVisible();
  await expect(jobs).not.toContainText(/unexpected token|JSON|<!DOCTYPE/i);
  const link = jobs.getByRole('link', { name: 'Log in' });
  expect(await link.getAttribute('href')).toContain(new URL(`${server.baseUrl}login`).pathname);

  const login = await context.newPage();
  await login.goto(new URL((await link.getAttribute('href')) ?? '', page.url()).href);
  await logInByPage(login, server);
  await login.close();

  // The page noticed by itself, without a reload.
  await expect(jobs.getByText('Your login to Jupyter has expired.')).toHaveCount(0, { timeout: 40_000 });
  await expect(jobs.getByText(/No jobs yet|You can close this tab/)).toBeVisible();
});
