import { MANIFEST, SERVER_ROUTES, callRoute, createId, signObject, toUtf8, type CompactJws, type Digest } from '@cloister/protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { once, publishAssets, putBundle, startTestServer, type TestServer } from '../testing/test-server.js';

let server: TestServer;
let asked: string[];
let giveUp: (reason: Error) => void;

/** Two owners: the first one's broker takes every call and never answers; the other one's allows. */
beforeEach(async () => {
  asked = [];
  const silence = new Promise<never>((_, reject) => (giveUp = reject));
  silence.catch(() => undefined);
  server = await startTestServer({
    world: { owners: ['bait', 'hospital'] },
    server: {
      limits: { maxParallelJobs: 1 },
      brokers: async ({ url }) => {
        asked.push(new URL(url).hostname);
        if (url.startsWith('http://bait.')) return silence;
        return Promise.resolve({ status: 200, headers: {}, body: once(toUtf8('{"decision":"allow"}')) });
      }
    }
  });
  await publishAssets(server);
  await putBundle(server);
});
afterEach(async () => {
  giveUp(new Error('the test is over'));
  await server.close();
});

async function submit(owner: string): Promise<Digest> {
  const { world, client } = server;
  const { payload } = world.manifest;
  const asset = world.owners.find(({ name }) => name === owner)?.descriptor.digest;
  const inputs = payload.inputs.filter(input => input.asset === asset);
  const manifest: { jws: CompactJws } = await signObject(MANIFEST, { ...payload, id: createId(world.now), inputs }, world.analyst);
  return (await callRoute(client(world.analyst), SERVER_ROUTES.submitJob, { body: { manifest: manifest.jws } })).job;
}

const stateOf = async (job: Digest): Promise<string> => (await callRoute(server.client(server.world.analyst), SERVER_ROUTES.getJob, { params: { job } })).state;

test('a broker that never answers holds up nobody else’s job, though only one may run', async () => {
  const bait = [await submit('bait'), await submit('bait')];
  const own = await submit('hospital');
  await server.server.reconciler.tick();
  await vi.waitFor(async () => expect(await stateOf(own)).toBe('launching'));
  expect(await Promise.all(bait.map(stateOf))).toEqual(['queued', 'queued']);
});

test('of two jobs that are allowed at once only as many begin as may run', async () => {
  const jobs = [await submit('hospital'), await submit('hospital')];
  await server.turn();
  expect((await Promise.all(jobs.map(stateOf))).toSorted()).toEqual(['launching', 'queued']);
});

test('once it was silent, jobs that name it do not wait for it again', async () => {
  const first = await submit('bait');
  await server.server.reconciler.tick();
  await vi.waitFor(() => expect(asked).toEqual(['bait.cloister.localhost']));
  giveUp(new Error('no answer'));
  await server.server.reconciler.settle();
  await submit('bait');
  await server.turn();
  expect(asked).toEqual(['bait.cloister.localhost']);
  expect(await stateOf(first)).toBe('queued');
});
