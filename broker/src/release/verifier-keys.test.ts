import { AppError, BROKER_ROUTES, GOOGLE_ISSUER, VERIFIER_ADDRESSES, callRoute, toTime, type KeySet, type PublishingVerifier, type Rule, type VerifierJwk } from '@cloister/protocol';
import { createTestVerifier, type TestVerifier } from '@cloister/protocol/testing';
import { readdir } from 'node:fs/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { attest, challenge, clientOf, createWorld, makeJob, makeRunner, openRelease, release, runAttempt, stateDirOf, type BrokerWorld, type Opened, type WorldOptions } from '../testing/broker-world.js';
import { codeOf, denialIn, refusal } from '../testing/refusals.js';

const DAY_MS = 24 * 3_600_000;
const RULE: Partial<Rule> = { verifiers: [GOOGLE_ISSUER], hardware: ['GCP_AMD_SEV'] };
const DOWN = new AppError('verifier_keys_unavailable', 'www.googleapis.com: it answers 503');

let google: TestVerifier;
let keys: readonly VerifierJwk[];
beforeAll(async () => {
  const made = await createTestVerifier({ kind: 'google', issuer: GOOGLE_ISSUER, hardware: 'GCP_AMD_SEV' });
  keys = made.pinned.jwks.flatMap(set => set.keys);
  google = { ...made, pinned: { ...made.pinned, jwks: [] } };
});

let world: BrokerWorld;
let fetched: PublishingVerifier[] = [];
/** What the verifier publishes, or why it does not answer. */
let published: readonly VerifierJwk[] | AppError;
beforeEach(() => {
  fetched = [];
  published = keys;
});
afterEach(async () => world.close());

async function openWorld(options: WorldOptions): Promise<void> {
  world = await createWorld({
    ...options,
    fetchKeySet: async kind => {
      fetched.push(kind);
      if (published instanceof AppError) throw published;
      const set: KeySet = { seen: toTime(world.clock.now()), source: VERIFIER_ADDRESSES[kind].jwks, keys: [...published] };
      return { set, dropped: [] };
    }
  });
}

const googleJob = async (): ReturnType<typeof makeJob> =>
  makeJob(world, { code: { runner: { verifiers: [GOOGLE_ISSUER], images: [world.image], hardware: ['GCP_AMD_SEV'], debug: false } } });

/** One attempt by a token under a key id, as a runner makes it. */
async function runUnder(kid: string): Promise<Opened> {
  const [job, runner] = [await googleJob(), await makeRunner()];
  const body = await attest(world, job, { runner, challenge: await challenge(world, job), token: { header: { kid } } });
  return openRelease(world, await release(world, body), runner);
}

const ready = async (): Promise<{ status: string }> => callRoute(world.client, BROKER_ROUTES.ready, {});
const ledger = async (): Promise<readonly unknown[]> => (await callRoute(clientOf(world, world.owner.signer), BROKER_ROUTES.getLedger, { query: { after: 0 } })).entries;
const renamed = (kid: string): VerifierJwk[] => keys.map(key => ({ ...key, kid }));

describe('a broker whose trust names Google', () => {
  beforeEach(async () => openWorld({ rule: RULE, verifier: google }));

  test('K3: releases to a token by a key that was published after its start, without a restart', async () => {
    expect((await runUnder('test-key')).shares).toHaveLength(2);
    published = renamed('rotated');
    world.clock.advance(30_000);
    expect((await runUnder('rotated')).shares).toHaveLength(2);
    expect(fetched).toHaveLength(2);
  });

  test('K2: asks once, however many tokens name keys that do not exist, and the challenge stays', async () => {
    const [job, runner] = [await googleJob(), await makeRunner()];
    const own = await challenge(world, job);
    const body = async (kid: string): Promise<{ session: string; tokens: [string] }> => attest(world, job, { runner, challenge: own, token: { header: { kid } } });
    expect((await denialIn(world, release(world, await body('unknown')))).reasons).toContain('key');
    for (let at = 0; at < 5; at += 1) expect(await codeOf(release(world, await body(`unknown-${at}`)))).toBe('verifier_keys_unavailable');
    expect(fetched).toHaveLength(1);
    expect((await openRelease(world, await release(world, await body('test-key')), runner)).shares).toHaveLength(2);
  });

  test('K1: releases nothing when Google has not answered for a day, says when to come again, and records no denial', async () => {
    await runUnder('test-key');
    published = DOWN;
    world.clock.advance(DAY_MS - 60_000);
    await runUnder('test-key');
    world.clock.advance(120_000);
    const before = await ledger();
    const error = await refusal(runUnder('test-key'));
    expect([error.code, error.status, error.retry]).toEqual(['verifier_keys_unavailable', 503, true]);
    expect(await ledger()).toEqual(before);
    expect(await codeOf(ready())).toBe('verifier_keys_unavailable');
    published = keys;
    world.clock.advance(30_000);
    await runUnder('test-key');
  });

  test('K8: started without network it is not ready and refuses, until the network is there', async () => {
    published = DOWN;
    const error = await refusal(ready());
    expect([error.code, error.status]).toEqual(['verifier_keys_unavailable', 503]);
    expect(error.detail).toContain(GOOGLE_ISSUER);
    expect(await codeOf(runUnder('test-key'))).toBe('verifier_keys_unavailable');
    expect(await callRoute(world.client, BROKER_ROUTES.health, {})).toMatchObject({ status: 'ok' });
    published = keys;
    world.clock.advance(30_000);
    expect(await ready()).toMatchObject({ status: 'ok', checks: { [GOOGLE_ISSUER]: `keys seen ${world.clock.now().toISOString()}` } });
  });

  test('K6: keeps keys over a restart, in its own private directory', async () => {
    await runUnder('test-key');
    expect(await readdir(stateDirOf(world.dir))).toContain('verifier-keys.json');
    published = DOWN;
    await world.restart();
    expect((await runUnder('test-key')).shares).toHaveLength(2);
    expect(fetched).toHaveLength(1);
  });
});

describe('a broker whose trust names the simulator alone', () => {
  test('never asks the network, whatever tokens say, and keeps no file', async () => {
    await openWorld({ rule: {} });
    const job = await makeJob(world);
    await runAttempt(world, job);
    const next = await makeJob(world);
    const own = await challenge(world, next);
    for (const iss of [GOOGLE_ISSUER, VERIFIER_ADDRESSES.intel.issuer]) {
      const body = await attest(world, next, { runner: await makeRunner(), challenge: own, token: { header: { kid: 'unknown' }, claims: { iss } } });
      expect(await codeOf(release(world, body))).toBe('attestation_rejected');
    }
    expect(await ready()).toMatchObject({ status: 'ok' });
    expect(fetched).toEqual([]);
    expect(await readdir(stateDirOf(world.dir))).not.toContain('verifier-keys.json');
  });
});
