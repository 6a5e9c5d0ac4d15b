import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompactJws, type Trust } from '@cloister/protocol';
import { createTestVerifier, createTestWorld, type TestVerifier, type TestWorld, type TestWorldOptions } from '@cloister/protocol/testing';
import type { TokenSource } from '../attestation/token-source.js';
import type { Clock } from '../clock.js';
import type { RunnerDeps } from '../deps.js';
import { runAttempt, type AttemptTask, type Ending } from '../run-attempt.js';
import { createTransport } from '../transport.js';
import { createFakeBroker, type BrokerLies, type FakeBroker } from './fake-broker.js';
import { createFakeSandbox, type FakeRun, type FakeSandboxOptions } from './fake-sandbox.js';
import { createFakeServer, type ServerLies, type ServerRecord } from './fake-server.js';
import { serveRoutes, type Binding } from './route-server.js';

export interface RigOptions {
  readonly world?: TestWorldOptions;
  /** Changes the world before anybody serves it. */
  readonly change?: (world: TestWorld) => TestWorld | Promise<TestWorld>;
  readonly server?: ServerLies;
  /** By the owner's name. */
  readonly brokers?: Readonly<Record<string, BrokerLies>>;
  readonly sandbox?: FakeSandboxOptions;
  readonly deps?: (deps: RunnerDeps, rig: Pick<Rig, 'world' | 'verifier' | 'socket'>) => Partial<RunnerDeps>;
  readonly attempt?: number;
}

/** One job with its server and brokers behind one unix socket, and a runner that knows no difference. */
export interface Rig {
  readonly world: TestWorld;
  readonly verifier: TestVerifier;
  readonly trust: Trust;
  readonly task: AttemptTask;
  readonly server: ServerRecord;
  readonly brokers: Readonly<Record<string, FakeBroker>>;
  readonly sandboxRuns: readonly FakeRun[];
  readonly socket: string;
  readonly logged: string[];
  readonly deps: RunnerDeps;
  readonly run: (signal?: AbortSignal) => Promise<Ending>;
  /** What the attempt left on disk. */
  readonly left: () => Promise<string[]>;
  readonly close: () => Promise<void>;
}

/** Time that passes at once. */
export const hastyClock: Clock = {
  now: () => new Date(),
  wait: () => new Promise(resolve => void setImmediate(resolve))
};

/** Its RSA keys take a second to make, and no test changes them. */
let sharedVerifier: Promise<TestVerifier> | undefined;

export const SERVER = 'http://server.cloister.localhost';

export async function createRig(options: RigOptions = {}): Promise<Rig> {
  const folder = await mkdtemp(join(tmpdir(), 'rig-'));
  const scratch = await mkdtemp(join(folder, 'scratch-'));
  const socket = join(folder, 'gateway.sock');
  const made = await createTestWorld(options.world);
  const world = (await options.change?.(made)) ?? made;
  const verifier = await (sharedVerifier ??= createTestVerifier());
  const { bindings, record } = createFakeServer(world, options.server);
  const brokers = Object.fromEntries(world.owners.map(owner => [owner.name, createFakeBroker(world, owner, options.brokers?.[owner.name])]));
  const services: Record<string, readonly Binding[]> = { 'server.cloister.localhost': bindings };
  for (const [name, broker] of Object.entries(brokers)) services[`${name}.cloister.localhost`] = broker.bindings;
  const running = await serveRoutes(socket, services);
  const { sandbox, runs } = createFakeSandbox(options.sandbox);
  const logged: string[] = [];
  const base: RunnerDeps = {
    transport: createTransport({ gateway: socket }),
    tokens: mintedTokens(world, verifier),
    sandbox,
    clock: hastyClock,
    log: (event, counts) => void logged.push(JSON.stringify({ event, ...counts }))
  };
  const deps = { ...base, ...options.deps?.(base, { world, verifier, socket }) };
  const task = { server: SERVER, job: world.manifest.digest, attempt: options.attempt ?? 1, scratch };
  return {
    world, verifier, task, server: record, brokers, sandboxRuns: runs, socket, logged, deps,
    trust: trustOf(world, verifier),
    run: (signal = new AbortController().signal) => runAttempt(task, deps, signal),
    left: () => readdir(scratch),
    close: async () => {
      await running.close();
      await rm(folder, { recursive: true, force: true });
    }
  };
}

export function mintedTokens(world: TestWorld, verifier: TestVerifier): TokenSource {
  return async ({ audience, nonce, type }) => {
    const kind = type === 'PKI' ? 'pki' : 'oidc';
    const token = await verifier.mint({ audience, nonces: [nonce], image: world.image, instance: 'job-1', issuedAt: new Date(), kind });
    return { token: CompactJws.parse(token), image: world.image, instance: 'job-1' };
  };
}

function trustOf(world: TestWorld, verifier: TestVerifier): Trust {
  return {
    v: 1,
    owners: world.owners.map(({ name, owner }) => ({ thumbprint: owner.thumbprint, name })),
    verifiers: [verifier.pinned],
    images: [{ image: world.image, source: 'a test' }]
  };
}
