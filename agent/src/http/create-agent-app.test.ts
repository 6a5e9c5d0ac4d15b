import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { symlink } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AGENT_ROUTES, AppError, callRoute, openRoute, type ClientDeps } from '@cloister/protocol';
import { createLogger, createTransport, listen, readEvents, type Listening, type NodeTransport } from '@cloister/kit';
import { createWorkbench, notebookOf, READS_BOTH, type Workbench } from '../testing/workbench.js';
import { createAgentApp } from './create-agent-app.js';

const SECRET = 'a-secret-that-only-the-proxy-knows-0001';
const HEADERS = { 'x-cloister-proxy-secret': SECRET, 'x-cloister-client': 'jupyterlab', origin: 'http://agent.test', 'sec-fetch-site': 'same-origin' };
let bench: Workbench;
let listening: Listening;
let network: NodeTransport;
let socketPath: string;
let client: ClientDeps;

beforeEach(async () => {
  bench = await createWorkbench();
  const logger = createLogger({ service: 'agent', level: 'silent', destination: 'stderr' });
  const app = await createAgentApp({ agent: bench.agent, workspace: bench.workspace, proxySecret: SECRET, logger });
  socketPath = join(bench.home, 'agent.sock');
  listening = await listen(app, { socketPath });
  network = createTransport({ sockets: { 'agent.test': socketPath } });
  client = { transport: network.transport, baseUrl: 'http://agent.test', headers: HEADERS };
});
afterEach(async () => {
  network.close();
  await listening.close(200);
  await bench.close();
});

async function raw(options: { method?: string; path?: string; headers?: Record<string, string>; body?: string }): Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method: options.method ?? 'GET', path: options.path ?? '/v1/agent', headers: { host: 'agent.test', ...options.headers } }, incoming => {
      void text(incoming).then(body => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body }));
    });
    outgoing.on('error', reject);
    outgoing.end(options.body);
  });
}

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error: unknown) => (error instanceof AppError ? error.code : String(error))
  );

describe('who may speak to the agent', () => {
  const without = (...names: string[]): Record<string, string> => Object.fromEntries(Object.entries(HEADERS).filter(([name]) => !names.includes(name)));
  const JSON_TYPE = { 'content-type': 'application/json' };
  const FORGED: readonly (readonly [string, Parameters<typeof raw>[0], number])[] = [
    ['no proxy secret', { headers: without('x-cloister-proxy-secret') }, 403],
    ['an empty proxy secret', { headers: { ...HEADERS, 'x-cloister-proxy-secret': '' } }, 403],
    ['a wrong proxy secret', { headers: { ...HEADERS, 'x-cloister-proxy-secret': `${SECRET}x` } }, 403],
    ['no client header, as from a form or an EventSource', { headers: without('x-cloister-client') }, 403],
    ['another origin', { headers: { ...HEADERS, origin: 'http://evil.test' } }, 403],
    ['the same host at another port', { headers: { ...HEADERS, origin: 'http://agent.test:8889' } }, 403],
    ['a sandboxed frame', { headers: { ...HEADERS, origin: 'null' } }, 403],
    ['another site', { headers: { ...HEADERS, 'sec-fetch-site': 'same-site' } }, 403],
    ['a mutation without origin', { method: 'POST', path: '/v1/drafts', headers: { ...without('origin'), ...JSON_TYPE }, body: '{"notebook":"study.ipynb"}' }, 403],
    ['a form', { method: 'POST', path: '/v1/drafts', headers: { ...HEADERS, 'content-type': 'application/x-www-form-urlencoded' }, body: 'notebook=study.ipynb' }, 415],
    ['plain text that is JSON', { method: 'POST', path: '/v1/drafts', headers: { ...HEADERS, 'content-type': 'text/plain' }, body: '{"notebook":"study.ipynb"}' }, 415],
    ['a preflight', { method: 'OPTIONS', path: '/v1/drafts', headers: { origin: 'http://evil.test', 'access-control-request-method': 'POST' } }, 405]
  ];
  test.each(FORGED)('not %s', async (_, options, status) => {
    const reply = await raw(options);
    expect(reply.status).toBe(status);
    expect(reply.headers['access-control-allow-origin']).toBeUndefined();
    expect(bench.operator.calls).toEqual([]);
  });

  test('JupyterLab’s own page, a GET without Origin included', async () => {
    expect((await raw({ headers: HEADERS })).status).toBe(200);
    const reply = await raw({ headers: without('origin', 'sec-fetch-site') });
    expect(reply.status).toBe(200);
    expect(reply.headers['x-content-type-options']).toBe('nosniff');
    expect(reply.headers['content-security-policy']).toContain("default-src 'none'");
    expect(reply.body).not.toContain('SECRET');
  });

  test('the proxy’s question whether it is up needs nothing and tells nothing', async () => {
    expect((await raw({ path: '/' })).body).toBe('{"status":"ok","checks":{}}');
  });
});

test('a notebook goes the whole way: draft, submit, events, results, verification', async () => {
  await bench.put('sub/study.ipynb', READS_BOTH);
  const draft = await callRoute(client, AGENT_ROUTES.createDraft, { body: { notebook: 'sub/study.ipynb', purpose: 'a study' } });
  expect(draft.assets.map(asset => asset.name)).toEqual(['hospital/table', 'registry/table']);
  expect(bench.operator.jobs.size).toBe(0);
  const view = await callRoute(client, AGENT_ROUTES.submitDraft, { body: { draft: draft.job, acceptLikelySecrets: false } });
  expect(view.job).toBe(draft.job);
  expect(await codeOf(callRoute(client, AGENT_ROUTES.submitDraft, { body: { draft: draft.job, acceptLikelySecrets: false } }))).toBe('not_found');
  const stream = await openRoute(client, AGENT_ROUTES.ownJobEvents, {});
  const events = readEvents(stream.body);
  await bench.finish(view.job);
  const event: unknown = JSON.parse((await events.next()).value?.data ?? '');
  expect(event).toMatchObject({ job: view.job, state: 'succeeded' });
  await events.return(undefined);
  const opened = await callRoute(client, AGENT_ROUTES.openResults, { params: { job: view.job }, body: {} });
  expect(opened).toMatchObject({ verdict: 'simulated', folder: `sub/results/study-${view.job.slice(7, 15)}` });
  const verified = await callRoute(client, AGENT_ROUTES.verifyLocalReport, { body: { report: opened.report, outputs: opened.folder } });
  expect(verified.verdict).toBe('simulated');
  const listed = await callRoute(client, AGENT_ROUTES.listOwnJobs, { query: {} });
  expect(listed.jobs).toMatchObject([{ view: { state: 'succeeded' }, notebook: 'sub/study.ipynb', purpose: 'a study', results: opened.folder }]);
});

test('a likely secret is sent only where that was accepted, and the draft waits meanwhile', async () => {
  await bench.put('study.ipynb', notebookOf('import cloister\ncloister.read_csv("hospital/table")\npassword = "hunter2hunter2"'));
  const draft = await callRoute(client, AGENT_ROUTES.createDraft, { body: { notebook: 'study.ipynb' } });
  expect(draft.secrets).toHaveLength(1);
  expect(await codeOf(callRoute(client, AGENT_ROUTES.submitDraft, { body: { draft: draft.job, acceptLikelySecrets: false } }))).toBe('secret_likely');
  expect(bench.operator.jobs.size).toBe(0);
  await callRoute(client, AGENT_ROUTES.submitDraft, { body: { draft: draft.job, acceptLikelySecrets: true } });
  expect(bench.operator.jobs.size).toBe(1);
});

test.each(['../outside.ipynb', '/etc/passwd', 'link/x.ipynb', 'sub/../../outside.ipynb'])('a path that leads out of the workspace is refused: %s', async path => {
  await symlink('/etc', join(bench.workspace, 'link'));
  expect(await codeOf(callRoute(client, AGENT_ROUTES.createDraft, { body: { notebook: path } }))).toBe('workspace_unsafe');
});

test('mocks and the catalog', async () => {
  const { mocks } = await callRoute(client, AGENT_ROUTES.fetchMocks, { body: { folder: '.' } });
  expect(mocks).toEqual([
    { name: 'hospital/table', state: 'fetched', path: 'mocks/hospital/table.csv' },
    { name: 'registry/table', state: 'fetched', path: 'mocks/registry/table.csv' }
  ]);
  const { assets } = await callRoute(client, AGENT_ROUTES.listCatalog, {});
  expect(assets.map(asset => [asset.name, asset.hasMock])).toEqual([['hospital/table', true], ['registry/table', true]]);
});
