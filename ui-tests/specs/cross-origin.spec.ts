import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { slowCells } from '../../e2e/harness/notebooks.js';
import { Attacker } from '../harness/attacker.js';
import { attack } from '../harness/attacks.js';
import { cancelAll, jobsOf, submitByCommand } from '../harness/jobs.js';
import { BASE_PATH, type JupyterServer } from '../harness/jupyter-server.js';
import { expect, test } from '../harness/test.js';

const agentUrl = ({ baseUrl }: JupyterServer): string => `${baseUrl}cloister/`;

/** Any page of Jupyter, logged in. */
async function logIn(page: Page, server: JupyterServer): Promise<void> {
  // The page of an error: light, and unlike the API's replies without a policy that forbids scripts.
  await page.goto(`${server.baseUrl}not-a-page?token=${server.token}`);
}

/** What the agent and the brokers keep, file by file: a draft, a mock or a job would be among them. */
function filesBelow(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile());
  return Object.fromEntries(files.map(({ parentPath, name }) => join(parentPath, name)).sort().map(path => [path, readFileSync(path, 'latin1')]));
}

/** Requests to the agent by Jupyter's own log: with which login they came, and how they ended. */
function requestsIn(log: string): { readonly status: number; readonly user: string }[] {
  return [...log.matchAll(/\] (\d{3}) (?:GET|POST) \S*cloister\/v1\S* \((\w*)@/g)].map(([, status, user]) => ({ status: Number(status), user: user ?? '' }));
}

test('a page of another port does nothing and learns nothing, although it has the user’s cookies', async ({ page, server, world, watch }) => {
  watch.allow(/./);
  world.writeNotebook('attacked.ipynb', slowCells(60));
  const job = await submitByCommand(world, 'attacked.ipynb');
  const attacker = await Attacker.listen();
  try {
    await logIn(page, server);
    // The same requests from Jupyter's own page are answered, so whatever is refused below is refused for its origin.
    const own = await page.evaluate(async url => (await fetch(url, { headers: { 'X-Cloister-Client': 'jupyterlab' } })).text(), `${agentUrl(server)}v1/agent`);
    expect(own).toContain('"analyst"');
    await expect.poll(async () => (await jobsOf(world)).find(({ job: id }) => id === job)?.state).toBe('running');
    const before = { jobs: (await jobsOf(world)).map(({ job: id }) => id), workspace: filesBelow(world.workspace), agent: filesBelow(join(world.home, 'agent')) };
    const from = server.readLog().length;

    await page.goto(attacker.url);
    const ends = await attack(page, {
      agent: agentUrl(server),
      get: ['v1/agent', 'v1/jobs'],
      post: [
        { path: `v1/jobs/${job}/cancellation`, body: {} },
        { path: 'v1/drafts', body: { notebook: 'outcome-model.ipynb' } },
        { path: 'v1/mocks', body: { folder: 'stolen' } }
      ]
    });

    expect(ends.filter(({ leak }) => leak !== undefined)).toEqual([]);
    expect(ends.length).toBeGreaterThan(35);
    // They did arrive with the user's login: what stopped them was the agent's guard, or a preflight that was refused.
    const arrived = requestsIn(server.readLog().slice(from));
    expect(arrived.filter(({ user }) => user !== '').length).toBeGreaterThan(20);
    expect(arrived.filter(({ status }) => status < 400)).toEqual([]);
    expect((await jobsOf(world)).map(({ job: id }) => id)).toEqual(before.jobs);
    expect((await jobsOf(world)).find(({ job: id }) => id === job)?.state).toBe('running');
    expect(filesBelow(world.workspace)).toEqual(before.workspace);
    expect(filesBelow(join(world.home, 'agent'))).toEqual(before.agent);
  } finally {
    await attacker.close();
    await cancelAll(world);
  }
});

test('without a login nothing of the agent answers', async ({ playwright, page, server, watch }) => {
  watch.allow(/ 403|WebSocket connection/);
  const stranger = await playwright.request.newContext({ maxRedirects: 0, extraHTTPHeaders: { 'X-Cloister-Client': 'jupyterlab', Origin: server.origin } });
  const [read, write, forged] = await Promise.all([
    stranger.get(`${agentUrl(server)}v1/agent`),
    stranger.post(`${agentUrl(server)}v1/drafts`, { data: { notebook: 'outcome-model.ipynb' } }),
    stranger.get(`${agentUrl(server)}v1/agent`, { headers: { 'X-Cloister-Proxy-Secret': 'x'.repeat(43), 'X-Forwarded-Prefix': `${BASE_PATH}cloister` } })
  ]);
  expect([read.status(), write.status(), forged.status()]).toEqual([302, 403, 302]);
  for (const reply of [read, write, forged]) expect(await reply.text()).not.toContain('analyst');
  await stranger.dispose();

  await page.goto(`${server.baseUrl}login`);
  const opened = await page.evaluate(async url => {
    const socket = new WebSocket(url);
    return new Promise<string>(resolve => {
      socket.onopen = () => resolve('open');
      socket.onerror = () => resolve('refused');
    });
  }, `${agentUrl(server).replace('http', 'ws')}v1/events`);
  expect(opened).toBe('refused');
});

test('with a login, a request that a form could make is refused by the agent itself', async ({ page, server, watch }) => {
  watch.allow(/ 403| 415/);
  await logIn(page, server);
  const statuses = await page.evaluate(async url => {
    const ask = async (path: string, init: RequestInit): Promise<number> => (await fetch(url + path, init)).status;
    const header = { 'X-Cloister-Client': 'jupyterlab' };
    return {
      withoutHeader: await ask('v1/agent', {}),
      formBody: await ask('v1/drafts', { method: 'POST', headers: header, body: new URLSearchParams({ notebook: 'outcome-model.ipynb' }) }),
      textBody: await ask('v1/drafts', { method: 'POST', headers: { ...header, 'content-type': 'text/plain' }, body: '{"notebook":"outcome-model.ipynb"}' })
    };
  }, agentUrl(server));
  expect(statuses).toEqual({ withoutHeader: 403, formBody: 415, textBody: 415 });
});
