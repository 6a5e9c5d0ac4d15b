import { RELEASE_AUDIENCE, REPORT_AUDIENCE, SERVER_ROUTES, callRoute, collect, digestOf, jcsBytes, openRoute, sessionNonce, type ClientDeps, type Digest, type JobView, type Report, type Signer } from '@cloister/protocol';
import { createTestSigner, type MintOptions } from '@cloister/protocol/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { releaseToken, scriptRunner, type RunnerScript } from '../testing/test-runner.js';
import { launchJob, once, startTestServer, streamOf, type TestServer } from '../testing/test-server.js';

let server: TestServer;
let job: Digest;
let key: Signer;
let script: RunnerScript;

beforeEach(async () => {
  server = await startTestServer();
  job = await launchJob(server);
  key = await createTestSigner();
  script = await scriptRunner(server.world, server.verifier, { attempt: 1, key: key.thumbprint });
});
afterEach(async () => server.close());

const ref = (attempt = 1) => ({ params: { job, attempt } });
const runner = (): ClientDeps => server.client(key);
const analyst = (): ClientDeps => server.client(server.world.analyst);
const view = async (): Promise<JobView> => callRoute(analyst(), SERVER_ROUTES.getJob, { params: { job } });
const pass = (ms: number): void => {
  server.clock.now = new Date(server.clock.now.getTime() + ms);
};

async function admit(signer = key, from = script): Promise<void> {
  const token = await releaseToken(server.world, server.verifier, from, server.clock.now);
  await callRoute(server.client(signer), SERVER_ROUTES.admitRunner, { ...ref(from.attempt), body: { session: from.report.session, tokens: [token] } });
}

async function putOutputs(sealed = script.sealed): Promise<void> {
  for (const [name, bytes] of sealed) await putOutput(name, bytes);
}

async function putOutput(name: string, bytes: Uint8Array, signer = key): Promise<void> {
  const client = server.client(signer);
  const upload = { body: once(bytes), stream: streamOf(bytes) };
  if (name === 'index') await callRoute(client, SERVER_ROUTES.putIndex, { ...ref(), ...upload });
  else await callRoute(client, SERVER_ROUTES.putOutput, { params: { ...ref().params, output: Number(name.slice('output/'.length)) }, ...upload });
}

async function putReport(report: Report = script.report): Promise<Digest> {
  return (await callRoute(runner(), SERVER_ROUTES.putReport, { ...ref(), body: report })).report;
}

test('a run from the first question to the pointer', async () => {
  const described = await callRoute(server.client(), SERVER_ROUTES.getAttempt, ref());
  expect(described.manifest).toBe(server.world.manifest.jws);
  expect(described.descriptors).toEqual(server.world.owners.map(owner => owner.descriptor.jws));
  await admit();
  expect(await callRoute(runner(), SERVER_ROUTES.postProgress, { ...ref(), body: { state: 'running', cells: { done: 1, total: 2 } } })).toEqual({ cancelled: false });
  expect(await view()).toMatchObject({ state: 'running', cells: { done: 1, total: 2 } });
  await callRoute(runner(), SERVER_ROUTES.postProgress, { ...ref(), body: { state: 'sealing', cells: { done: 2, total: 2 } } });
  await putOutputs();
  await putOutputs();
  const report = await putReport();
  expect(await putReport()).toBe(report);
  await expect(openRoute(analyst(), SERVER_ROUTES.getOutput, { params: { job, output: 0 } })).rejects.toMatchObject({ code: 'not_found' });
  const published = await callRoute(runner(), SERVER_ROUTES.publishAttempt, { ...ref(), body: { report } });
  expect(published).toMatchObject({ state: 'succeeded', report, cells: { done: 2, total: 2 } });
  expect(await callRoute(runner(), SERVER_ROUTES.publishAttempt, { ...ref(), body: { report } })).toEqual(published);
  expect((await view()).outputs?.map(output => output.name)).toEqual(['output/0', 'output/1', 'index']);
  expect(digestOf(jcsBytes(await callRoute(analyst(), SERVER_ROUTES.getReport, { params: { job } })))).toBe(report);
  const index = await openRoute(analyst(), SERVER_ROUTES.getIndex, { params: { job } });
  expect(await collect(index.body, 1 << 20)).toEqual(new Uint8Array(script.sealed.get('index') ?? []));
  expect(server.cloud.machines.size).toBe(1);
  pass(11_000);
  await server.turn();
  expect(server.cloud.machines.size).toBe(0);
  await callRoute(analyst(), SERVER_ROUTES.deleteJob, { params: { job } });
  await expect(view()).rejects.toMatchObject({ code: 'not_found' });
});

test('a run that failed ends the job as failed, with its code and its outputs', async () => {
  script = await scriptRunner(server.world, server.verifier, { attempt: 1, key: key.thumbprint, outcome: { status: 'failed', code: 'cell_failed' } });
  await admit();
  await putOutputs();
  const published = await callRoute(runner(), SERVER_ROUTES.publishAttempt, { ...ref(), body: { report: await putReport() } });
  expect(published).toMatchObject({ state: 'failed', code: 'cell_failed' });
  expect(published.outputs).toHaveLength(3);
});

test('before admission a key may write nothing', async () => {
  const [, bytes = new Uint8Array()] = [...script.sealed][0] ?? [];
  await expect(putOutput('output/0', bytes)).rejects.toMatchObject({ code: 'not_admitted' });
  await expect(putOutput('index', bytes)).rejects.toMatchObject({ code: 'not_admitted' });
  await expect(putReport()).rejects.toMatchObject({ code: 'not_admitted' });
  await expect(callRoute(runner(), SERVER_ROUTES.postProgress, { ...ref(), body: { state: 'running' } })).rejects.toMatchObject({ code: 'not_admitted' });
  await expect(callRoute(runner(), SERVER_ROUTES.publishAttempt, { ...ref(), body: { report: digestOf(bytes) } })).rejects.toMatchObject({ code: 'not_admitted' });
  await admit();
  await expect(putOutput('output/0', bytes, await createTestSigner())).rejects.toMatchObject({ code: 'not_admitted' });
});

const TOKENS: readonly (readonly [string, string, Partial<MintOptions>])[] = [
  ['for another audience', 'audience', { audience: REPORT_AUDIENCE }],
  ['over another session', 'nonce', { nonces: [sessionNonce('{}')] }],
  ['of another image', 'image', { image: digestOf(jcsBytes('another')) }],
  ['of another machine', 'instance', { instance: 'job-1' }],
  ['of long ago', 'freshness', { issuedAt: new Date(0) }],
  ['of a debug machine', 'debug', { claims: { dbgstat: 'enabled' } }]
];

test.each(TOKENS)('a token %s admits nobody: check %s', async (_, check, overrides) => {
  const token = await server.verifier.mint({ audience: RELEASE_AUDIENCE, nonces: [sessionNonce(script.report.session)], image: server.world.image, instance: script.instance, issuedAt: server.clock.now, ...overrides });
  const admitting = callRoute(runner(), SERVER_ROUTES.admitRunner, { ...ref(), body: { session: script.report.session, tokens: [token] } });
  const error: unknown = await admitting.catch((cause: unknown) => cause);
  expect(error).toMatchObject({ code: 'attestation_rejected' });
  expect(JSON.stringify(error)).toContain(`"id":"${check}"`);
});

test('a session that names another key, job or attempt admits nobody', async () => {
  await expect(admit(await createTestSigner())).rejects.toMatchObject({ code: 'session_mismatch' });
  const next = await scriptRunner(server.world, server.verifier, { attempt: 2, key: key.thumbprint });
  const token = await releaseToken(server.world, server.verifier, next, server.clock.now);
  await expect(callRoute(runner(), SERVER_ROUTES.admitRunner, { ...ref(), body: { session: next.report.session, tokens: [token] } })).rejects.toMatchObject({ code: 'session_mismatch' });
  await expect(admit(key, next)).rejects.toMatchObject({ code: 'not_found' });
});

test('an attempt belongs to the first key that was admitted', async () => {
  await admit();
  await admit();
  const thief = await createTestSigner();
  await expect(admit(thief, await scriptRunner(server.world, server.verifier, { attempt: 1, key: thief.thumbprint }))).rejects.toMatchObject({ code: 'recipient_changed' });
});

test('outputs are written once, and are what their proof says', async () => {
  await admit();
  const [, bytes = new Uint8Array()] = [...script.sealed][0] ?? [];
  await putOutput('output/0', bytes);
  await expect(putOutput('output/0', bytes.slice(1))).rejects.toMatchObject({ code: 'already_exists' });
  const lying = callRoute(runner(), SERVER_ROUTES.putOutput, { params: { ...ref().params, output: 1 }, body: once(bytes.slice(1)), stream: { digest: digestOf(bytes), size: bytes.length - 1 } });
  await expect(lying).rejects.toMatchObject({ status: 401, code: 'proof_invalid' });
  await putOutput('output/1', bytes);
  await expect(putOutput('output/10000', bytes)).rejects.toMatchObject({ code: 'invalid_request' });
});

const REPORTS: readonly (readonly [string, string, () => Promise<Report>])[] = [
  ['of a run whose outputs are not these', 'sealed_outputs', async () => (await scriptRunner(server.world, server.verifier, { attempt: 1, key: key.thumbprint })).report],
  ['whose token is another one’s', 'nonce', async () => ({ ...script.report, tokens: [(await scriptRunner(server.world, server.verifier, { attempt: 1, key: key.thumbprint })).report.tokens[0]] })],
  ['of another attempt', 'own_job', async () => (await scriptRunner(server.world, server.verifier, { attempt: 2, key: key.thumbprint })).report],
  ['without its receipts’ signatures', 'report_form', async () => ({ ...script.report, receipts: script.report.receipts.map(receipt => `${receipt.slice(0, -4)}AAAA`) })]
];

test.each(REPORTS)('a report %s is refused: check %s', async (_, check, make) => {
  await admit();
  await putOutputs();
  const error: unknown = await putReport(await make()).catch((cause: unknown) => cause);
  expect(error).toMatchObject({ code: 'report_rejected' });
  expect(JSON.stringify(error)).toContain(`"id":"${check}"`);
  await expect(callRoute(runner(), SERVER_ROUTES.publishAttempt, { ...ref(), body: { report: digestOf(jcsBytes(script.report)) } })).rejects.toMatchObject({ code: 'not_found' });
  expect((await view()).state).toBe('attesting');
});

test('a report that no broker witnessed is taken; one whose witness is of another report is not', async () => {
  await admit();
  await putOutputs();
  const other = await scriptRunner(server.world, server.verifier, { attempt: 1, key: key.thumbprint });
  const error: unknown = await putReport({ ...script.report, witnesses: other.report.witnesses }).catch((cause: unknown) => cause);
  expect(error).toMatchObject({ code: 'report_rejected' });
  expect(JSON.stringify(error)).toContain('"id":"witnesses"');
  const unwitnessed = { ...script.report, witnesses: [] };
  expect(await putReport(unwitnessed)).toBe(digestOf(jcsBytes(unwitnessed)));
});

test('a report by a session of another key is refused', async () => {
  const other = await scriptRunner(server.world, server.verifier, { attempt: 1 });
  await admit();
  for (const [name, bytes] of other.sealed) await putOutput(name, bytes);
  const error: unknown = await putReport(other.report).catch((cause: unknown) => cause);
  expect(error).toMatchObject({ code: 'report_rejected' });
  expect(JSON.stringify(error)).toContain('session_key');
});

test('a report that misses an output, or an output that no report names, is refused', async () => {
  await admit();
  const [first, ...rest] = [...script.sealed];
  await putOutputs(new Map(rest));
  await expect(putReport()).rejects.toMatchObject({ code: 'report_rejected' });
  await putOutputs(new Map(first === undefined ? [] : [first]));
  await putOutput('output/7', new Uint8Array([1]));
  await expect(putReport()).rejects.toMatchObject({ code: 'report_rejected' });
});

test('what a runner says before admission counts only when its machine has ended', async () => {
  await callRoute(runner(), SERVER_ROUTES.failAttempt, { ...ref(), body: { code: 'sandbox_unavailable' } });
  await server.turn();
  expect((await view()).state).toBe('attesting');
  server.cloud.end(script.instance, 1);
  await server.turn();
  expect(await view()).toMatchObject({ state: 'failed', code: 'sandbox_unavailable', attempt: 1 });
});

test('an admitted runner’s failure ends its attempt, and the analyst sees the brokers’ denials', async () => {
  await admit();
  await expect(callRoute(server.client(await createTestSigner()), SERVER_ROUTES.failAttempt, { ...ref(), body: { code: 'runner_failed' } })).rejects.toMatchObject({ code: 'not_admitted' });
  const denials = [server.world.manifest.jws];
  await callRoute(runner(), SERVER_ROUTES.failAttempt, { ...ref(), body: { code: 'release_denied', denials } });
  expect(await view()).toMatchObject({ state: 'failed', code: 'release_denied', denials });
  await expect(callRoute(runner(), SERVER_ROUTES.failAttempt, { ...ref(), body: { code: 'runner_failed' } })).rejects.toMatchObject({ code: 'attempt_stale' });
});

test('after a failure that may pass a new attempt runs, alone, and the old one’s word no longer counts', async () => {
  await admit();
  await callRoute(runner(), SERVER_ROUTES.failAttempt, { ...ref(), body: { code: 'runner_failed' } });
  expect(await view()).toMatchObject({ state: 'launching', attempt: 2, code: 'runner_failed' });
  pass(5000);
  for (let turn = 0; turn < 3; turn += 1) await server.turn();
  expect(server.cloud.made).toHaveLength(2);
  expect(server.cloud.mostAtOnce).toBe(1);
  const [, bytes = new Uint8Array()] = [...script.sealed][0] ?? [];
  await expect(putOutput('output/0', bytes)).rejects.toMatchObject({ code: 'attempt_stale' });
  await expect(admit()).rejects.toMatchObject({ code: 'attempt_stale' });
  await expect(callRoute(server.client(), SERVER_ROUTES.getAttempt, ref(1))).rejects.toMatchObject({ code: 'attempt_stale' });
  await expect(callRoute(server.client(), SERVER_ROUTES.getAttempt, ref(3))).rejects.toMatchObject({ code: 'not_found' });
});

test('a machine that ends without a word is lost, and tried again once', async () => {
  server.cloud.end(script.instance, 137);
  await server.turn();
  expect(await view()).toMatchObject({ state: 'launching', attempt: 2, code: 'runner_lost' });
  pass(5000);
  for (let turn = 0; turn < 2; turn += 1) await server.turn();
  server.cloud.machines.clear();
  await server.turn();
  expect(await view()).toMatchObject({ state: 'lost', attempt: 2, code: 'runner_lost' });
});

test('a runner whose job was cancelled hears of it, and can publish nothing', async () => {
  await admit();
  await putOutputs();
  const report = await putReport();
  await callRoute(analyst(), SERVER_ROUTES.cancelJob, { params: { job } });
  expect(await callRoute(runner(), SERVER_ROUTES.postProgress, { ...ref(), body: { state: 'running' } })).toEqual({ cancelled: true });
  await expect(callRoute(runner(), SERVER_ROUTES.publishAttempt, { ...ref(), body: { report } })).rejects.toMatchObject({ code: 'attempt_stale' });
  expect((await view()).state).toBe('cancelled');
});

test('a disk that is full says so, and keeps nothing', async () => {
  const full = await startTestServer({ server: { limits: { minFreeBytes: Number.MAX_SAFE_INTEGER } } });
  await expect(launchJob(full)).rejects.toMatchObject({ code: 'storage_full' });
  await full.close();
});
