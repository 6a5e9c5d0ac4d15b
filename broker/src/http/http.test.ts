import { BROKER, BROKER_ROUTES, callRoute, collect, createProver, parseJson, verifyObject } from '@cloister/protocol';
import { createTestSigner } from '@cloister/protocol/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { challenge, clientOf, createWorld, makeJob, type BrokerWorld } from '../testing/broker-world.js';
import { codeOf } from '../testing/refusals.js';

let world: BrokerWorld;
beforeEach(async () => (world = await createWorld()));
afterEach(async () => world.close());

test('describes itself by the keys that its state holds, also after a restart', async () => {
  const before = await callRoute(world.client, BROKER_ROUTES.describeBroker, {});
  const { payload, signer } = await verifyObject(BROKER, before.description, world.pinned.description.broker);
  expect(payload).toEqual(world.pinned.description);
  expect(signer).toBe(payload.broker);
  await world.restart();
  expect(await callRoute(world.client, BROKER_ROUTES.describeBroker, {})).toEqual(before);
});

test.each(['getLedger', 'listPolicies'] as const)('%s answers the owner, and nobody else', async id => {
  const call = async (client: typeof world.client): Promise<unknown> => callRoute(client, BROKER_ROUTES[id], id === 'getLedger' ? { query: {} } : {});
  await call(clientOf(world, world.owner.signer));
  expect(await codeOf(call(world.client))).toBe('proof_missing');
  expect(await codeOf(call(clientOf(world, world.analyst)))).toBe('not_permitted');
  expect(await codeOf(call(clientOf(world, await createTestSigner())))).toBe('not_permitted');
});

test('a proof counts once, also across a restart, and for its own address and time', async () => {
  const prove = createProver(world.owner.signer, world.clock);
  let kept: string | undefined;
  const replaying = { ...world.client, prove: async (request: Parameters<typeof prove>[0]) => (kept ??= await prove(request)) };
  await callRoute(replaying, BROKER_ROUTES.listPolicies, {});
  await world.restart();
  expect(await codeOf(callRoute(replaying, BROKER_ROUTES.listPolicies, {}))).toBe('proof_replayed');
  expect(await codeOf(callRoute(replaying, BROKER_ROUTES.getLedger, { query: {} }))).toBe('proof_invalid');
  world.clock.advance(61_000);
  expect(await codeOf(callRoute(replaying, BROKER_ROUTES.listPolicies, {}))).toBe('proof_stale');
});

test('is healthy and ready, and tells its own API', async () => {
  expect(await callRoute(world.client, BROKER_ROUTES.health, {})).toMatchObject({ status: 'ok' });
  expect(await callRoute(world.client, BROKER_ROUTES.ready, {})).toMatchObject({ status: 'ok', checks: { ledger: 'entry 2' } });
  expect(await callRoute(world.client, BROKER_ROUTES.openapi, {})).toMatchObject({ openapi: '3.1.0', info: { title: 'Cloister broker' } });
});

test('refuses a body with members that the route does not take', async () => {
  const job = await makeJob(world);
  const body = new TextEncoder().encode(JSON.stringify({ manifest: job.jws, attempt: 1, force: true }));
  const reply = await world.client.transport({ method: 'POST', url: `${world.client.baseUrl}/v1/challenges`, headers: { 'content-type': 'application/json' }, body });
  expect(parseJson(await collect(reply.body, 10_000))).toMatchObject({ status: 400, type: 'urn:cloister:error:invalid_request' });
  expect(await challenge(world, job)).toHaveLength(43);
});
