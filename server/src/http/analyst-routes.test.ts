import { readEvents, systemClock } from '@cloister/kit';
import { AppError, JobEvent, MANIFEST, SERVER_ROUTES, callRoute, collect, createProver, digestOf, jcsBytes, openRoute, parseJson, signObject, toTime, type JobView, type Signer } from '@cloister/protocol';
import { createTestSigner } from '@cloister/protocol/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SERVER_URL, allow, launchJob, once, publishAssets, putBundle, startTestServer, streamOf, submitJob, type TestServer } from '../testing/test-server.js';

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer();
});
afterEach(async () => server.close());

const analyst = () => server.client(server.world.analyst);
const view = async (): Promise<JobView> => callRoute(analyst(), SERVER_ROUTES.getJob, { params: { job: server.world.manifest.digest } });

test('a job is queued once, whatever is repeated', async () => {
  await publishAssets(server);
  const job = await submitJob(server, { 'idempotency-key': 'one' });
  expect(job).toBe(server.world.manifest.digest);
  expect(await submitJob(server, { 'idempotency-key': 'one' })).toBe(job);
  expect(await submitJob(server)).toBe(job);
  expect(await view()).toMatchObject({ state: 'queued', attempt: 0, version: 0 });
  const { jobs, next } = await callRoute(analyst(), SERVER_ROUTES.listJobs, { query: {} });
  expect(jobs.map(listed => listed.job)).toEqual([job]);
  expect(next).toBeUndefined();
});

test('a key that came with another manifest is a conflict, and nothing is stored', async () => {
  await publishAssets(server);
  await submitJob(server, { 'idempotency-key': 'one' });
  const other = await signObject(MANIFEST, { ...server.world.manifest.payload, maxAttempts: 7 }, server.world.analyst);
  const submitting = callRoute(analyst(), SERVER_ROUTES.submitJob, { body: { manifest: other.jws }, headers: { 'idempotency-key': 'one' } });
  await expect(submitting).rejects.toMatchObject({ code: 'idempotency_conflict' });
  const { jobs } = await callRoute(analyst(), SERVER_ROUTES.listJobs, { query: {} });
  expect(jobs).toHaveLength(1);
});

const REFUSED: readonly (readonly [string, string, (test: TestServer) => Promise<{ signer: Signer; manifest: string }>])[] = [
  ['by another key than the manifest’s', 'wrong_signer', async ({ world }) => ({ signer: await createTestSigner(), manifest: world.manifest.jws })],
  ['that names another analyst', 'wrong_signer', async ({ world }) => {
    const stranger = await createTestSigner();
    return { signer: stranger, manifest: (await signObject(MANIFEST, world.manifest.payload, stranger)).jws };
  }],
  ['that has expired', 'manifest_expired', async ({ world }) => ({ signer: world.analyst, manifest: (await signObject(MANIFEST, { ...world.manifest.payload, notAfter: toTime(world.now) }, world.analyst)).jws })],
  ['with an input that nobody published', 'not_found', async ({ world }) => {
    const inputs = [{ name: 'hospital/table', asset: digestOf(jcsBytes('unknown')) }];
    return { signer: world.analyst, manifest: (await signObject(MANIFEST, { ...world.manifest.payload, inputs }, world.analyst)).jws };
  }],
  ['whose bundle is not stored', 'not_found', async ({ world }) => {
    const code = { ...world.manifest.payload.code, bundle: digestOf(jcsBytes('unknown')) };
    return { signer: world.analyst, manifest: (await signObject(MANIFEST, { ...world.manifest.payload, code }, world.analyst)).jws };
  }],
  ['with one byte changed', 'signature_invalid', async ({ world }) => {
    const [header = '', payload = '', signature = ''] = world.manifest.jws.split('.');
    return { signer: world.analyst, manifest: `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}` };
  }]
];

test.each(REFUSED)('a manifest %s is refused as %s', async (_, code, make) => {
  await publishAssets(server);
  await putBundle(server);
  const { signer, manifest } = await make(server);
  await expect(callRoute(server.client(signer), SERVER_ROUTES.submitJob, { body: { manifest } })).rejects.toMatchObject({ code });
  expect((await callRoute(analyst(), SERVER_ROUTES.listJobs, { query: {} })).jobs).toEqual([]);
});

test('a bundle whose bytes are not those of its address is not kept', async () => {
  const { world } = server;
  const digest = world.manifest.payload.code.bundle;
  await expect(putBundle(server, world.sealedBundle.slice(1))).rejects.toMatchObject({ code: 'digest_mismatch' });
  // A proof that promises the right digest for other bytes.
  const lying = callRoute(analyst(), SERVER_ROUTES.putBundle, { params: { digest }, body: once(world.sealedBundle.slice(1)), stream: { digest, size: world.sealedBundle.length - 1 } });
  await expect(lying).rejects.toMatchObject({ status: 401, code: 'proof_invalid' });
  await expect(callRoute(server.client(), SERVER_ROUTES.getAttempt, { params: { job: world.manifest.digest, attempt: 1 } })).rejects.toMatchObject({ code: 'not_found' });
  await expect(openRoute(server.client(), SERVER_ROUTES.getBundle, { params: { digest } })).rejects.toMatchObject({ code: 'not_found' });
  await putBundle(server);
  await putBundle(server);
  const reply = await openRoute(server.client(), SERVER_ROUTES.getBundle, { params: { digest } });
  expect(digestOf(await collect(reply.body, 1 << 20))).toBe(digest);
});

test('the job of another analyst is as good as none', async () => {
  const job = await launchJob(server);
  const stranger = server.client(await createTestSigner());
  for (const route of [SERVER_ROUTES.getJob, SERVER_ROUTES.cancelJob, SERVER_ROUTES.deleteJob, SERVER_ROUTES.getReport]) {
    await expect(callRoute(stranger, route, { params: { job } })).rejects.toMatchObject({ code: 'not_found' });
  }
  await expect(openRoute(stranger, SERVER_ROUTES.getOutput, { params: { job, output: 0 } })).rejects.toMatchObject({ code: 'not_found' });
  expect((await callRoute(stranger, SERVER_ROUTES.listJobs, { query: {} })).jobs).toEqual([]);
});

test('an unsigned, old, repeated or redirected request is refused', async () => {
  const target = { htm: 'GET', htu: `${SERVER_URL}/v1/jobs`, bodyDigest: digestOf(new Uint8Array()) };
  const send = async (proof: string | undefined, path = '/v1/jobs') => {
    const reply = await server.transport({ method: 'GET', url: SERVER_URL + path, headers: proof === undefined ? {} : { 'cloister-proof': proof } });
    const body = parseJson(await collect(reply.body, 1 << 20));
    return { status: reply.status, body };
  };
  expect(await send(undefined)).toMatchObject({ status: 401, body: { type: 'urn:cloister:error:proof_missing' } });
  const prove = createProver(server.world.analyst, { now: () => server.clock.now });
  const proof = await prove(target);
  expect(await send(proof, '/v1/jobs?limit=5')).toMatchObject({ status: 401, body: { type: 'urn:cloister:error:proof_invalid' } });
  expect(await send(proof)).toMatchObject({ status: 200 });
  expect(await send(proof)).toMatchObject({ status: 401, body: { type: 'urn:cloister:error:proof_replayed' } });
  const restarted = await server.restart();
  expect(await send(proof)).toMatchObject({ status: 401, body: { type: 'urn:cloister:error:proof_replayed' } });
  const late = createProver(server.world.analyst, { now: () => new Date(server.clock.now.getTime() - 90_000) });
  expect(await send(await late(target))).toMatchObject({ status: 401, body: { type: 'urn:cloister:error:proof_stale', time: server.clock.now.toISOString() } });
  server = restarted;
});

test('only keys that the operator listed may submit or publish', async () => {
  const strict = await startTestServer({ server: { analysts: [], publishers: [] } });
  await expect(callRoute(strict.client(strict.world.analyst), SERVER_ROUTES.listJobs, { query: {} })).rejects.toMatchObject({ code: 'not_permitted' });
  await expect(publishAssets(strict)).rejects.toMatchObject({ code: 'not_permitted' });
  expect((await callRoute(strict.client(), SERVER_ROUTES.listAssets, { query: {} })).assets).toEqual([]);
  await strict.close();
});

test('pages go on where they ended, and a cursor serves one list only', async () => {
  await publishAssets(server);
  await putBundle(server);
  for (let at = 0; at < 5; at += 1) {
    const manifest = await signObject(MANIFEST, { ...server.world.manifest.payload, maxAttempts: at + 1 }, server.world.analyst);
    await callRoute(analyst(), SERVER_ROUTES.submitJob, { body: { manifest: manifest.jws } });
    server.clock.now = new Date(server.clock.now.getTime() + 1000);
  }
  const first = await callRoute(analyst(), SERVER_ROUTES.listJobs, { query: { limit: 2 } });
  const second = await callRoute(analyst(), SERVER_ROUTES.listJobs, { query: { limit: 2, cursor: first.next } });
  const third = await callRoute(analyst(), SERVER_ROUTES.listJobs, { query: { limit: 2, cursor: second.next } });
  const times = [first, second, third].flatMap(page => page.jobs.map(job => job.createdAt));
  expect(times).toEqual([...times].sort().reverse());
  expect(new Set(times).size).toBe(5);
  expect(third.next).toBeUndefined();
  const cursor = first.next ?? '';
  for (const query of [{ cursor: `${cursor.slice(0, -2)}AA` }, { cursor: 'x' }, { cursor, state: 'queued' as const }]) {
    await expect(callRoute(analyst(), SERVER_ROUTES.listJobs, { query })).rejects.toMatchObject({ code: 'invalid_cursor' });
  }
  await expect(callRoute(server.client(await createTestSigner()), SERVER_ROUTES.listJobs, { query: { cursor } })).rejects.toMatchObject({ code: 'invalid_cursor' });
});

test('events come as they are committed, and go on after the last one that was seen, also after a restart', async () => {
  const states = async (lastEventId: string | undefined, count: number, act: () => Promise<unknown>): Promise<{ states: string[]; last: string }> => {
    const controller = new AbortController();
    const headers: Record<string, string> = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
    const { body } = await openRoute(analyst(), SERVER_ROUTES.jobEvents, { headers, signal: controller.signal });
    await act();
    const seen: JobEvent[] = [];
    for await (const { data } of readEvents(body)) {
      seen.push(JobEvent.parse(parseJson(data)));
      if (seen.length === count) break;
    }
    controller.abort();
    return { states: seen.map(event => event.state), last: String(seen.at(-1)?.seq) };
  };
  await publishAssets(server);
  const first = await states(undefined, 2, async () => {
    await submitJob(server);
    await server.turn();
  });
  expect(first.states).toEqual(['queued', 'launching']);
  await server.turn();
  server.cloud.boot();
  await server.turn();
  server = await server.restart();
  const second = await states(first.last, 2, async () => callRoute(analyst(), SERVER_ROUTES.cancelJob, { params: { job: server.world.manifest.digest } }));
  expect(second.states).toEqual(['attesting', 'cancelled']);
  expect((await states('0', 4, async () => undefined)).states).toEqual(['queued', 'launching', 'attesting', 'cancelled']);
  await expect(openRoute(analyst(), SERVER_ROUTES.jobEvents, { headers: { 'last-event-id': 'x' } })).rejects.toMatchObject({ code: 'invalid_cursor' });
});

test('a job that brokers make wait waits, and is launched when they allow', async () => {
  server.brokers.reply = allow('wait');
  await publishAssets(server);
  await submitJob(server);
  await server.turn();
  expect(await view()).toMatchObject({ state: 'waiting', code: 'approval_missing' });
  server.brokers.reply = allow();
  await server.turn();
  expect(await view()).toMatchObject({ state: 'waiting' });
  server.clock.now = new Date(server.clock.now.getTime() + 60_000);
  await server.turn();
  expect(await view()).toMatchObject({ state: 'launching', attempt: 1 });
});

test.each([
  [allow('deny'), 'released_never'],
  [{ status: 403, body: JSON.stringify({ type: 'urn:cloister:error:manifest_expired', title: '', status: 403, detail: '' }) }, 'manifest_expired']
])('a job that a broker denies fails, and no machine is paid for: %j', async (reply, code) => {
  server.brokers.reply = reply;
  await publishAssets(server);
  await submitJob(server);
  await server.turn();
  expect(await view()).toMatchObject({ state: 'failed', attempt: 0, code });
  expect(server.cloud.made).toEqual([]);
});

test('a job whose broker does not answer stays until its manifest expires', async () => {
  server.brokers.reply = { status: 500, body: 'no problem document' };
  await publishAssets(server);
  await submitJob(server);
  for (let turn = 0; turn < 3; turn += 1) {
    await server.turn();
    expect(await view()).toMatchObject({ state: 'queued' });
    server.clock.now = new Date(server.clock.now.getTime() + 100_000);
  }
  server.clock.now = new Date(server.world.manifest.payload.notAfter);
  await server.turn();
  expect(await view()).toMatchObject({ state: 'failed', code: 'manifest_expired' });
});

test('a launch that fails is tried again, and in the end the job fails with everything cleaned up', async () => {
  server.cloud.launchError = new AppError('launch_failed', 'no machine today');
  await publishAssets(server);
  await submitJob(server);
  for (let turn = 0; turn < 16; turn += 1) {
    await server.turn();
    server.clock.now = new Date(server.clock.now.getTime() + 61_000);
  }
  expect(await view()).toMatchObject({ state: 'failed', attempt: 2, code: 'launch_failed' });
  expect(server.cloud.machines.size).toBe(0);
});

test('a cancelled job loses its machine, and cannot be cancelled or deleted out of order', async () => {
  const job = await launchJob(server);
  expect(server.cloud.machines.size).toBe(1);
  await expect(callRoute(analyst(), SERVER_ROUTES.deleteJob, { params: { job } })).rejects.toMatchObject({ code: 'job_not_finished' });
  await expect(callRoute(analyst(), SERVER_ROUTES.getReport, { params: { job } })).rejects.toMatchObject({ code: 'job_not_finished' });
  expect(await callRoute(analyst(), SERVER_ROUTES.cancelJob, { params: { job } })).toMatchObject({ state: 'cancelled' });
  expect(await callRoute(analyst(), SERVER_ROUTES.cancelJob, { params: { job } })).toMatchObject({ state: 'cancelled' });
  await server.turn();
  expect(server.cloud.machines.size).toBe(0);
  await expect(callRoute(analyst(), SERVER_ROUTES.getReport, { params: { job } })).rejects.toMatchObject({ code: 'not_found' });
  await callRoute(analyst(), SERVER_ROUTES.deleteJob, { params: { job } });
  await expect(view()).rejects.toMatchObject({ code: 'not_found' });
  await expect(openRoute(server.client(), SERVER_ROUTES.getBundle, { params: { digest: server.world.manifest.payload.code.bundle } })).rejects.toMatchObject({ code: 'not_found' });
});

test('a machine of ours without a job is removed, and those of others are left alone', async () => {
  await launchJob(server);
  const [machine] = [...server.cloud.machines.values()];
  if (machine === undefined) throw new Error('no machine');
  const orphan = { ...machine.instance, name: 'job-0000000000000000-a1' };
  server.cloud.machines.set('orphan', { request: machine.request, instance: { ...orphan, labels: machine.instance.labels } });
  server.cloud.machines.set('stranger', { request: machine.request, instance: { ...orphan, name: 'job-1111111111111111-a1', labels: { 'cloister-server': 'another' } } });
  await server.turn();
  expect((await view()).state).toBe('attesting');
  expect(server.cloud.machines.has('stranger')).toBe(true);
  expect(server.cloud.removed).toContain('job-0000000000000000-a1');
});

test('the loop goes on by itself, and is woken by what happens', async () => {
  // A tick that never comes: everything below must be set off by a wake-up.
  const awake = await startTestServer({ server: { clock: systemClock, limits: { tickMs: 1_000_000 } } });
  awake.server.reconciler.start();
  await publishAssets(awake);
  await submitJob(awake);
  const deadline = Date.now() + 10_000;
  while (awake.cloud.made.length === 0 && Date.now() < deadline) await systemClock.sleep(10);
  expect(awake.cloud.made).toHaveLength(1);
  await awake.close();
});

test('health, readiness and the API document are open to all', async () => {
  await server.turn();
  expect(await callRoute(server.client(), SERVER_ROUTES.health, {})).toEqual({ status: 'ok', checks: {} });
  expect(await callRoute(server.client(), SERVER_ROUTES.ready, {})).toEqual({ status: 'ok', checks: { database: 'ok', blobs: 'ok', backend: 'ok' } });
  expect(await callRoute(server.client(), SERVER_ROUTES.openapi, {})).toMatchObject({ openapi: '3.1.0' });
  server.cloud.listError = new Error('down');
  await server.turn();
  await expect(callRoute(server.client(), SERVER_ROUTES.ready, {})).rejects.toMatchObject({ code: 'unavailable' });
});

test('the catalog takes an owner’s own descriptors, with their files, one a version', async () => {
  const { world, client } = server;
  const [owner] = world.owners;
  if (owner === undefined) throw new Error('no owner');
  const publish = async (signer: Signer) => callRoute(client(signer), SERVER_ROUTES.publishAsset, { body: { descriptor: owner.descriptor.jws } });
  await expect(publish(owner.owner)).rejects.toMatchObject({ code: 'not_found' });
  await expect(publish(world.analyst)).rejects.toMatchObject({ code: 'not_permitted' });
  await callRoute(client(owner.owner), SERVER_ROUTES.putAssetFile, { params: { digest: digestOf(owner.sealed) }, body: once(owner.sealed), stream: streamOf(owner.sealed) });
  expect(await publish(owner.owner)).toMatchObject({ asset: owner.descriptor.digest });
  expect(await publish(owner.owner)).toMatchObject({ asset: owner.descriptor.digest });
  const { assets } = await callRoute(client(), SERVER_ROUTES.listAssets, { query: { owner: owner.owner.thumbprint } });
  expect(assets).toEqual([{ asset: owner.descriptor.digest, owner: owner.owner.thumbprint, descriptor: owner.descriptor.jws }]);
  const { body } = await openRoute(client(), SERVER_ROUTES.getAssetFile, { params: { digest: digestOf(owner.sealed) } });
  expect(digestOf(await collect(body, 1 << 20))).toBe(digestOf(owner.sealed));
});
