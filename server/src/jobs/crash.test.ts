import { constants } from 'node:fs';
import { access, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@cloister/kit';
import { AppError, digestOf, type Digest, type JobState } from '@cloister/protocol';
import { createTestVerifier, createTestWorld, type TestVerifier, type TestWorld } from '@cloister/protocol/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openFilesystemBlobStore } from '../blobs/filesystem/filesystem-blob-store.js';
import type { ServerStore } from '../store/port.js';
import { openSqliteServerStore } from '../store/sqlite/sqlite-server-store.js';
import { FakeCloud } from '../testing/fake-cloud.js';
import { Killed, createKillSwitch, type KillSwitch } from '../testing/kill-switch.js';
import { releaseToken, scriptRunner, stepsOf, type RunnerScript } from '../testing/test-runner.js';
import { createAttemptService, type AttemptService } from './attempt-service.js';
import type { BrokerAnswer } from './broker-checks.js';
import { createJobChanges } from './change-job.js';
import { createGarbageCollector } from './garbage-collector.js';
import { createJobService, type JobService } from './job-service.js';
import { createPageCursors } from './page-cursors.js';
import { createReconciler, type Reconciler } from './reconciler.js';
import { isEnded } from './transitions.js';

const logger = createLogger({ service: 'test', level: 'silent', destination: 'stderr' });
const MAX_ROUNDS = 60;
let root: string;
let verifier: TestVerifier;

beforeAll(async () => {
  // In memory where there is such a place: hundreds of databases are made here, and none must survive a power cut.
  const parent = await access('/dev/shm', constants.W_OK).then(() => '/dev/shm', tmpdir);
  root = await mkdtemp(join(parent, 'cloister-crash-'));
  verifier = await createTestVerifier();
});
afterAll(async () => rm(root, { recursive: true, force: true }));

interface Scenario {
  readonly name: string;
  readonly maxAttempts: number;
  readonly brokers: readonly BrokerAnswer['kind'][];
  /** What the world does in a round, beside servers and runners; true once it is done. */
  readonly event?: (life: Life) => Promise<boolean>;
  readonly ends: JobState;
  readonly attempts: number;
}

const SCENARIOS: readonly Scenario[] = [
  { name: 'a run that succeeds', maxAttempts: 2, brokers: ['unanswered', 'wait', 'allow'], ends: 'succeeded', attempts: 1 },
  { name: 'a runner that dies once', maxAttempts: 2, brokers: ['allow'], event: killRunner, ends: 'succeeded', attempts: 2 },
  { name: 'a runner that dies for good', maxAttempts: 1, brokers: ['allow'], event: killRunner, ends: 'lost', attempts: 1 },
  { name: 'a job that is cancelled while it is launched', maxAttempts: 2, brokers: ['allow'], event: cancelWhenLaunching, ends: 'cancelled', attempts: 1 },
  { name: 'a job that is deleted when it has ended', maxAttempts: 2, brokers: ['allow'], event: deleteWhenEnded, ends: 'succeeded', attempts: 1 }
];

interface Parts {
  readonly store: ServerStore;
  readonly jobs: JobService;
  readonly attempts: AttemptService;
  readonly reconciler: Reconciler;
}

/** One world that servers come and go in. */
interface Life {
  readonly world: TestWorld;
  readonly job: Digest;
  readonly cloud: FakeCloud;
  readonly directory: string;
  readonly states: string[];
  server: Parts;
  /** Of the first server; the ones after it live. */
  readonly first: KillSwitch;
  now: Date;
  brokers: BrokerAnswer['kind'][];
  deleted: boolean;
}

async function startServer(life: Pick<Life, 'cloud' | 'directory'> & { readonly now: () => Date; readonly ask: () => BrokerAnswer }, guard: KillSwitch['guard']): Promise<Parts> {
  const clock = { now: life.now, sleep: async () => undefined };
  const whole = openSqliteServerStore({ directory: life.directory, committed: () => undefined });
  const store = guard(whole);
  const blobs = guard(await openFilesystemBlobStore({ root: join(life.directory, 'blobs'), minFreeBytes: 0 }));
  const backend = guard(life.cloud.backend());
  const changes = createJobChanges({ jobs: store.jobs, clock, maxRunSeconds: 600 });
  const garbage = createGarbageCollector({ store, blobs, clock, logger });
  const cursors = createPageCursors('secret');
  const poke = (): void => undefined;
  const trust = { v: 1 as const, owners: [], verifiers: [verifier.pinned], images: [] };
  return {
    store: whole,
    jobs: createJobService({ store, blobs, changes, garbage, cursors, clock, poke, maxLiveJobs: 10 }),
    attempts: createAttemptService({ store, blobs, changes, backend, trust, clock, poke, attempts: store.attempts }),
    reconciler: createReconciler({
      store, backend, changes, garbage, clock, logger, serverId: 'server', maxParallelJobs: 4, tickMs: 1000,
      brokers: guard({ ask: async () => life.ask() }),
      runnerEnv: (job, attempt) => ({ CLOISTER_JOB: job, CLOISTER_ATTEMPT: String(attempt) })
    })
  };
}

const nobody: KillSwitch['guard'] = target => target;

async function begin(scenario: Scenario, world: TestWorld, kill: KillSwitch): Promise<{ life: Life; restart: () => Promise<void> }> {
  const directory = await mkdtemp(join(root, 'run-'));
  let now = world.now;
  const brokers = [...scenario.brokers];
  const cloud = new FakeCloud(world.image, () => now);
  const ask = (): BrokerAnswer => {
    const kind = (brokers.length > 1 ? brokers.shift() : brokers[0]) ?? 'allow';
    if (kind === 'deny') return { kind, code: 'released_never' };
    return kind === 'unanswered' ? { kind, retryAfterMs: 0 } : { kind };
  };
  const context = { cloud, directory, now: () => now, ask };
  // What an analyst and an owner did before: no kill of this server can touch it.
  const early = await startServer(context, nobody);
  const bundle = { kind: 'bundle', digest: digestOf(world.sealedBundle) } as const;
  await early.store.files.add({ ...bundle, size: world.sealedBundle.length, by: world.analyst.thumbprint }, now);
  for (const { descriptor, owner } of world.owners) {
    await early.store.catalog.add({ asset: descriptor.digest, owner: owner.thumbprint, descriptor: descriptor.jws, name: 'table', version: 1 }, now);
  }
  await early.store.close();
  const life: Life = {
    world, job: world.manifest.digest, cloud, directory, states: [], first: kill, brokers, deleted: false,
    server: await startServer(context, kill.guard),
    get now() {
      return now;
    },
    set now(value) {
      now = value;
    }
  };
  const restart = async (): Promise<void> => {
    await life.server.reconciler.settle();
    await life.server.store.close();
    life.server = await startServer(context, nobody);
  };
  return { life, restart };
}

/** Runs until the job has ended and no machine is left, with a new server after the first was killed. */
async function live(scenario: Scenario, world: TestWorld, scripts: readonly RunnerScript[], kill: KillSwitch): Promise<Life> {
  const { life, restart } = await begin(scenario, world, kill);
  const steps = new Map(scripts.map(script => [script.instance, stepsOf(life.job, script, async () => releaseToken(world, verifier, script, life.now), digestOf)]));
  let restarted = false;
  let eventDone = scenario.event === undefined;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    if (kill.killed() && !restarted) {
      await restart();
      restarted = true;
    }
    await attempt(async () => life.server.jobs.submit(world.analyst.thumbprint, world.manifest.jws, 'key'), life.deleted);
    await attempt(async () => life.server.reconciler.tick());
    await life.server.reconciler.settle();
    life.cloud.boot();
    for (const [name, todo] of steps) await runOneStep(life, name, todo);
    if (!eventDone) eventDone = (await attempt(async () => scenario.event?.(life))) ?? false;
    const job = await life.server.store.jobs.find(life.job);
    if (job !== undefined) life.states.push(`${job.attempt} ${job.state}`);
    if (eventDone && life.cloud.machines.size === 0 && (life.deleted || (job !== undefined && isEnded(job)))) return life;
    life.now = new Date(life.now.getTime() + 2000);
  }
  throw new Error(`not over after ${MAX_ROUNDS} rounds: ${life.states.join(', ')}`);
}

async function runOneStep({ cloud, server }: Life, name: string, todo: ((attempts: AttemptService) => Promise<unknown>)[]): Promise<void> {
  const [step] = todo;
  if (cloud.machines.get(name)?.instance.status !== 'running' || step === undefined) return;
  try {
    await step(server.attempts);
    todo.shift();
    if (todo.length === 0) cloud.end(name, 0);
  } catch (error) {
    // A killed server is asked again; a word that came too late ends the runner.
    if (error instanceof AppError && (error.code === 'attempt_stale' || error.code === 'not_found')) cloud.end(name, 1);
    else if (!(error instanceof Killed)) throw error;
  }
}

/** A client whose server was killed asks the next one. */
async function attempt<T>(work: () => Promise<T>, skip = false): Promise<T | undefined> {
  if (skip) return undefined;
  try {
    return await work();
  } catch (error) {
    if (error instanceof Killed) return undefined;
    throw error;
  }
}

async function killRunner({ cloud, server, job }: Life): Promise<boolean> {
  const found = await server.store.jobs.find(job);
  const [name] = cloud.made;
  if (found?.state !== 'running' || name === undefined) return false;
  cloud.end(name, 137);
  return true;
}

async function cancelWhenLaunching({ cloud, server, job, world }: Life): Promise<boolean> {
  const found = await server.store.jobs.find(job);
  if (found === undefined || cloud.made.length === 0) return false;
  await server.jobs.cancel(world.analyst.thumbprint, job);
  return true;
}

async function deleteWhenEnded(life: Life): Promise<boolean> {
  const found = await life.server.store.jobs.find(life.job);
  if (found === undefined) return life.deleted;
  if (!isEnded(found)) return false;
  life.deleted = true;
  await life.server.jobs.remove(life.world.analyst.thumbprint, life.job);
  return true;
}

async function expectInvariants(scenario: Scenario, life: Life): Promise<void> {
  const { store } = life.server;
  expect(life.cloud.mostAtOnce).toBeLessThanOrEqual(1);
  expect(new Set(life.cloud.made).size).toBe(life.cloud.made.length);
  expect(life.cloud.made).toHaveLength(scenario.attempts);
  expect(await store.files.garbage(10)).toEqual([]);
  if (life.deleted) {
    const left = await readdir(join(life.directory, 'blobs'), { recursive: true, withFileTypes: true });
    expect(left.filter(entry => entry.isFile())).toEqual([]);
    expect(await store.jobs.find(life.job)).toBeUndefined();
    expect(await store.files.find('bundle', digestOf(life.world.sealedBundle))).toBeUndefined();
    return;
  }
  const job = await store.jobs.find(life.job);
  expect(job).toMatchObject({ state: scenario.ends, attempt: scenario.attempts });
  expect(job?.report !== undefined).toBe(scenario.ends === 'succeeded');
  const events = await store.events.after(life.world.analyst.thumbprint, 0, 100);
  expect(events.filter(event => isEnded(event))).toHaveLength(1);
  expect(events.map(event => event.version)).toEqual(events.map((_, at) => at));
  expect((await store.jobs.live()).length).toBe(0);
}

describe.each(SCENARIOS)('$name', scenario => {
  test('ends once and alike, wherever the server is killed', { timeout: 300_000 }, async () => {
    const world = await createTestWorld({ manifest: { maxAttempts: scenario.maxAttempts } });
    const scripts = [await scriptRunner(world, verifier, { attempt: 1 }), await scriptRunner(world, verifier, { attempt: 2 })];
    const undisturbed = createKillSwitch(0);
    const life = await live(scenario, world, scripts, undisturbed);
    await expectInvariants(scenario, life);
    await life.server.store.close();
    expect(undisturbed.calls()).toBeGreaterThan(20);
    for (let at = 1; at <= undisturbed.calls(); at += 1) {
      const disturbed = await live(scenario, world, scripts, createKillSwitch(at));
      await expectInvariants(scenario, disturbed);
      await disturbed.server.store.close();
      await rm(disturbed.directory, { recursive: true });
    }
  });
});
