import { DESCRIPTOR, SERVER_ROUTES, callRoute, createProver, digestOf, signObject } from '@cloister/protocol';
import { expect, test } from 'vitest';
import { SERVER_URL, startTestServer } from '../testing/test-server.js';

test('a key that nobody listed leaves nothing behind, not even that it asked', async () => {
  const strict = await startTestServer({ server: { analysts: [], publishers: [] } });
  const proof = await createProver(strict.world.analyst, { now: () => strict.clock.now })({ htm: 'GET', htu: `${SERVER_URL}/v1/jobs`, bodyDigest: digestOf(new Uint8Array()) });
  const same = { ...strict.client(), prove: async () => Promise.resolve(proof) };
  for (let time = 0; time < 2; time += 1) await expect(callRoute(same, SERVER_ROUTES.listJobs, { query: {} })).rejects.toMatchObject({ code: 'not_permitted' });
  await strict.close();
});

test.each(['http://127.0.0.1:9/internal', 'https://169.254.169.254', 'https://localhost'])('an asset whose broker is at %s is not listed, so it is never called', async url => {
  const open = await startTestServer({ server: { brokerHosts: undefined, publishers: 'any' } });
  const [first] = open.world.owners;
  if (first === undefined) throw new Error('no owner');
  const { payload } = first.descriptor;
  const [custodian] = payload.custodians;
  const bait = await signObject(DESCRIPTOR, { ...payload, custodians: [{ ...custodian, url }] }, first.owner);
  await expect(callRoute(open.client(first.owner), SERVER_ROUTES.publishAsset, { body: { descriptor: bait.jws } })).rejects.toMatchObject({ code: 'not_permitted' });
  await open.close();
});
