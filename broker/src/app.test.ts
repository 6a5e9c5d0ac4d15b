import { createLogger, systemClock } from '@cloister/kit';
import { BROKER_ROUTES, callRoute } from '@cloister/protocol';
import { createTestSigner } from '@cloister/protocol/testing';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createBroker, type BrokerOptions } from './app.js';
import { createWorld, headsFileOf, makeJob, runAttempt, stateDirOf, type BrokerWorld } from './testing/broker-world.js';
import { codeOf, refusal } from './testing/refusals.js';

let world: BrokerWorld;
beforeEach(async () => (world = await createWorld()));
afterEach(async () => world.close());

function options(change: Partial<BrokerOptions> = {}): BrokerOptions {
  return {
    stateDir: stateDirOf(world.dir), headsFile: headsFileOf(world.dir), owner: world.owner.signer.thumbprint, publicUrl: world.client.baseUrl,
    trust: { verifiers: [world.verifier.pinned] }, clock: systemClock, logger: createLogger({ service: 'broker', level: 'silent', destination: 'stderr' }), ...change
  };
}

test('two processes never share one state', async () => {
  expect(await codeOf(createBroker(options()))).toBe('state_locked');
});

test('a state serves one owner for ever', async () => {
  const other = await createTestSigner();
  await world.restart(async () => {
    expect(await codeOf(createBroker(options({ owner: other.thumbprint })))).toBe('config_invalid');
  });
  expect(await callRoute(world.client, BROKER_ROUTES.ready, {})).toMatchObject({ status: 'ok' });
});

test('state is for its owner only', async () => {
  expect((await stat(stateDirOf(world.dir))).mode & 0o777).toBe(0o700);
  // the lock tells nothing but that there is one
  const names = (await readdir(stateDirOf(world.dir), { recursive: true })).filter(name => name !== 'broker.lock');
  expect(names).toContain('broker.sqlite-wal');
  for (const name of names) {
    expect((await stat(join(stateDirOf(world.dir), name))).mode & 0o077, name).toBe(0);
  }
});

test('the log of a release and of a denial holds no key, token or manifest', async () => {
  const lines = new PassThrough();
  const job = await makeJob(world);
  await world.restart(async () => Promise.resolve(), createLogger({ service: 'broker', level: 'debug', destination: lines }));
  const { shares } = await runAttempt(world, job);
  await refusal(runAttempt(world, await makeJob(world, { manifest: { maxAttempts: 1 } }), 2));
  lines.end();
  const log = await text(lines);
  expect(log).toContain('released');
  expect(log).toContain('attempts_exhausted');
  for (const secret of [...shares.map(share => share.fileKey), job.jws, job.payload.analyst]) expect(log).not.toContain(secret);
});
