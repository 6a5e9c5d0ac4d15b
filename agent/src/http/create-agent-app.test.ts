import { lstat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AGENT_API, AGENT_ROUTES, AppError, callRoute } from '@cloister/protocol';
import { createLogger, createTransport, listen } from '@cloister/kit';
import { PAGE_HEADERS, PROXY_SECRET, codeOf, createAgentFace, createWorkbench, notebookOf, READS_BOTH, type AgentFace, type RawRequest, type Workbench } from '../testing/index.js';
import { AGENT_VERSION } from '../version.js';
import { createAgentApp } from './create-agent-app.js';

let bench: Workbench;
let face: AgentFace;

beforeEach(async () => {
  bench = await createWorkbench();
  face = await createAgentFace(bench);
});
afterEach(async () => {
  await face.close();
  await bench.close();
});

describe('who may speak to the agent', () => {
  const without = (...names: string[]): Record<string, string> => Object.fromEntries(Object.entries(PAGE_HEADERS).filter(([name]) => !names.includes(name)));
  const JSON_TYPE = { 'content-type': 'application/json' };
  const FORGED: readonly (readonly [string, RawRequest, number])[] = [
    ['no proxy secret', { headers: without('x-cloister-proxy-secret') }, 403],
    ['an empty proxy secret', { headers: { ...PAGE_HEADERS, 'x-cloister-proxy-secret': '' } }, 403],
    ['a wrong proxy secret', { headers: { ...PAGE_HEADERS, 'x-cloister-proxy-secret': `${PROXY_SECRET}x` } }, 403],
    ['no client header, as from a form or an EventSource', { headers: without('x-cloister-client') }, 403],
    ['another origin', { headers: { ...PAGE_HEADERS, origin: 'http://evil.test' } }, 403],
    ['the same host at another port', { headers: { ...PAGE_HEADERS, origin: 'http://agent.test:8889' } }, 403],
    ['a page from http, where the user came by https', { headers: { ...PAGE_HEADERS, 'x-forwarded-proto': 'https,http' } }, 403],
    ['what is no page of the web', { headers: { ...PAGE_HEADERS, origin: 'app://agent.test' } }, 403],
    ['a sandboxed frame', { headers: { ...PAGE_HEADERS, origin: 'null' } }, 403],
    ['another site', { headers: { ...PAGE_HEADERS, 'sec-fetch-site': 'same-site' } }, 403],
    ['a mutation without origin', { method: 'POST', path: '/v1/drafts', headers: { ...without('origin'), ...JSON_TYPE }, body: '{"notebook":"study.ipynb"}' }, 403],
    ['a form', { method: 'POST', path: '/v1/drafts', headers: { ...PAGE_HEADERS, 'content-type': 'application/x-www-form-urlencoded' }, body: 'notebook=study.ipynb' }, 415],
    ['plain text that is JSON', { method: 'POST', path: '/v1/drafts', headers: { ...PAGE_HEADERS, 'content-type': 'text/plain' }, body: '{"notebook":"study.ipynb"}' }, 415],
    ['a preflight', { method: 'OPTIONS', path: '/v1/drafts', headers: { origin: 'http://evil.test', 'access-control-request-method': 'POST' } }, 405]
  ];
  test.each(FORGED)('not %s', async (_, options, status) => {
    const reply = await face.raw(options);
    expect(reply.status).toBe(status);
    expect(reply.headers['access-control-allow-origin']).toBeUndefined();
    expect(bench.operator.calls).toEqual([]);
  });

  test('JupyterLab’s own page, a GET without Origin included', async () => {
    expect((await face.raw({ headers: PAGE_HEADERS })).status).toBe(200);
    expect((await face.raw({ headers: { ...PAGE_HEADERS, origin: 'https://agent.test', 'x-forwarded-proto': 'https' } })).status).toBe(200);
    const reply = await face.raw({ headers: without('origin', 'sec-fetch-site') });
    expect(reply.status).toBe(200);
    expect(reply.headers['x-content-type-options']).toBe('nosniff');
    expect(reply.headers['content-security-policy']).toContain("default-src 'none'");
    expect(reply.body).not.toContain('SECRET');
  });

  test('the proxy’s question whether it is up needs nothing and tells nothing', async () => {
    expect((await face.raw({ path: '/' })).body).toBe('{"status":"ok","checks":{}}');
  });
});

test('a notebook goes the whole way: draft, submit, event, results, verification', async () => {
  await bench.put('sub/study.ipynb', READS_BOTH);
  const draft = await callRoute(face.client, AGENT_ROUTES.createDraft, { body: { notebook: 'sub/study.ipynb', purpose: 'a study' } });
  expect(draft).toMatchObject({ notebook: 'sub/study.ipynb', purpose: 'a study', timeoutSeconds: 3600 });
  expect(draft.assets.map(asset => [asset.name, asset.ownerThumbprint])).toEqual(bench.owners.map(({ name, owner }) => [`${name}/table`, owner.thumbprint]));
  expect(bench.operator.jobs.size).toBe(0);
  const view = await callRoute(face.client, AGENT_ROUTES.submitDraft, { body: { draft: draft.job, acceptLikelySecrets: false } });
  expect(view.job).toBe(draft.job);
  expect(await codeOf(callRoute(face.client, AGENT_ROUTES.submitDraft, { body: { draft: draft.job, acceptLikelySecrets: false } }))).toBe('not_found');
  const page = await face.socket({ subscription: {} });
  await expect.poll(() => page.kinds()).toEqual(['hello', 'recovered']);
  await bench.finish(view.job);
  await expect.poll(() => page.messages.at(-1)).toMatchObject({ kind: 'event', event: { job: view.job, state: 'succeeded' } });
  const opened = await callRoute(face.client, AGENT_ROUTES.openResults, { params: { job: view.job }, body: {} });
  expect(opened).toMatchObject({ verdict: 'simulated', folder: `sub/results/study-${view.job.slice(7, 15)}` });
  const verified = await callRoute(face.client, AGENT_ROUTES.verifyLocalReport, { body: { report: opened.report, outputs: opened.folder } });
  expect(verified.verdict).toBe('simulated');
  const listed = await callRoute(face.client, AGENT_ROUTES.listOwnJobs, { query: {} });
  expect(listed.jobs).toMatchObject([{ view: { state: 'succeeded' }, notebook: 'sub/study.ipynb', purpose: 'a study', inputs: ['hospital/table', 'registry/table'], results: opened.folder, report: opened.report, denials: [] }]);
});

test('a likely secret is sent only where that was accepted, and the draft waits meanwhile', async () => {
  await bench.put('study.ipynb', notebookOf('import cloister\ncloister.read_csv("hospital/table")\npassword = "hunter2hunter2"'));
  const draft = await callRoute(face.client, AGENT_ROUTES.createDraft, { body: { notebook: 'study.ipynb' } });
  expect(draft.secrets).toHaveLength(1);
  expect(await codeOf(callRoute(face.client, AGENT_ROUTES.submitDraft, { body: { draft: draft.job, acceptLikelySecrets: false } }))).toBe('secret_likely');
  expect(bench.operator.jobs.size).toBe(0);
  await callRoute(face.client, AGENT_ROUTES.submitDraft, { body: { draft: draft.job, acceptLikelySecrets: true } });
  expect(bench.operator.jobs.size).toBe(1);
});

test.each(['../outside.ipynb', '/etc/passwd', 'link/x.ipynb', 'sub/../../outside.ipynb'])('a path that leads out of the workspace is refused: %s', async path => {
  await symlink('/etc', join(bench.workspace, 'link'));
  expect(await codeOf(callRoute(face.client, AGENT_ROUTES.createDraft, { body: { notebook: path } }))).toBe('workspace_unsafe');
});

test.each(['dangling', 'dangling/below', 'nowhere', 'study.ipynb', 'study.ipynb/below'])('mocks do not go where there is no folder, and a link to nothing is not followed: %s', async folder => {
  const nothing = join(bench.home, 'nothing');
  await bench.put('study.ipynb', READS_BOTH);
  await symlink(nothing, join(bench.workspace, 'dangling'));
  expect(await codeOf(callRoute(face.client, AGENT_ROUTES.fetchMocks, { body: { folder } }))).toBe('workspace_unsafe');
  await expect(lstat(nothing)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('mocks and the catalog', async () => {
  const { mocks } = await callRoute(face.client, AGENT_ROUTES.fetchMocks, { body: { folder: '.' } });
  expect(mocks).toEqual([
    { name: 'hospital/table', state: 'fetched', path: 'mocks/hospital/table.csv' },
    { name: 'registry/table', state: 'fetched', path: 'mocks/registry/table.csv' }
  ]);
  const { assets } = await callRoute(face.client, AGENT_ROUTES.listCatalog, {});
  expect(assets.map(asset => [asset.name, asset.hasMock])).toEqual([['hospital/table', true], ['registry/table', true]]);
});

test('what the agent is, and what it trusts, with public keys alone', async () => {
  const agent = await callRoute(face.client, AGENT_ROUTES.describeAgent, {});
  expect(agent).toMatchObject({ api: AGENT_API, version: AGENT_VERSION, workspace: bench.workspace, hasPolicy: true });
  const reply = await callRoute(face.client, AGENT_ROUTES.getTrust, {});
  expect(reply).toEqual({ trust: await bench.agent.trust(), policy: await bench.agent.appraisal(), where: join(bench.home, 'agent') });
});

test('an agent whose state is wrong is up all the same, and says what is wrong', async () => {
  const logger = createLogger({ service: 'agent', level: 'silent', destination: 'stderr' });
  const broken = async (): Promise<never> => Promise.reject(new AppError('key_unsafe', 'others can reach the keys'));
  const { app, close } = await createAgentApp({ agent: broken, workspace: bench.workspace, proxySecret: PROXY_SECRET, logger });
  const socketPath = join(bench.home, 'broken.sock');
  const listening = await listen(app, { socketPath });
  const { transport, close: disconnect } = createTransport({ sockets: { 'agent.test': socketPath } });
  const client = { transport, baseUrl: 'http://agent.test', headers: PAGE_HEADERS };
  expect(await callRoute(client, AGENT_ROUTES.root, {})).toMatchObject({ status: 'ok' });
  expect(await codeOf(callRoute(client, AGENT_ROUTES.listOwnJobs, { query: {} }))).toBe('key_unsafe');
  disconnect();
  close();
  await listening.close(200);
});
