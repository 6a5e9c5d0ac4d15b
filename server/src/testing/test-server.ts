import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, createTransport, listen, type Clock } from '@cloister/kit';
import { SERVER_ROUTES, callRoute, createProver, digestOf, toUtf8, type ClientDeps, type Digest, type Signer, type Transport } from '@cloister/protocol';
import { createTestVerifier, createTestWorld, type TestVerifier, type TestWorld, type TestWorldOptions } from '@cloister/protocol/testing';
import { createServer, type Server, type ServerOptions } from '../app.js';
import { FakeCloud } from './fake-cloud.js';

export const SERVER_URL = 'http://server.cloister.localhost';

/** A server on a unix socket, over a fake cloud, with a clock that tests turn. */
export interface TestServer {
  readonly world: TestWorld;
  readonly verifier: TestVerifier;
  readonly cloud: FakeCloud;
  readonly server: Server;
  readonly transport: Transport;
  readonly clock: { now: Date };
  /** What every broker answers to a check. */
  readonly brokers: { reply: { status: number; body: string } };
  /** Calls the server as this key; without one, unsigned. */
  readonly client: (signer?: Signer) => ClientDeps;
  /** Lets the reconciler look, and waits for what it sets off. */
  readonly turn: () => Promise<void>;
  /** Ends this server and starts one over the same state. */
  readonly restart: () => Promise<TestServer>;
  readonly close: () => Promise<void>;
}

export interface TestServerOptions {
  readonly world?: TestWorldOptions;
  readonly server?: Partial<ServerOptions>;
}

/** Its RSA keys take most of a second to make. */
let sharedVerifier: Promise<TestVerifier> | undefined;

const logger = createLogger({ service: 'test', level: 'silent', destination: 'stderr' });

export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const directory = await mkdtemp(join(tmpdir(), 'cloister-server-'));
  const world = await createTestWorld(options.world ?? {});
  const clock = { now: world.now };
  const fixed: Fixed = { directory, world, clock, verifier: await (sharedVerifier ??= createTestVerifier()), cloud: new FakeCloud(world.image, () => clock.now), brokers: { reply: allow() }, options: options.server ?? {} };
  return open(fixed);
}

export function allow(decision: 'allow' | 'wait' | 'deny' = 'allow'): { status: number; body: string } {
  return { status: 200, body: JSON.stringify({ decision }) };
}

interface Fixed extends Pick<TestServer, 'world' | 'clock' | 'verifier' | 'cloud' | 'brokers'> {
  readonly directory: string;
  readonly options: Partial<ServerOptions>;
}

async function open(fixed: Fixed): Promise<TestServer> {
  const { directory, world, clock, verifier, cloud, brokers } = fixed;
  const time: Clock = { now: () => clock.now, sleep: async () => undefined };
  const server = await createServer({
    stateDir: join(directory, 'server'),
    publicUrl: SERVER_URL,
    trust: { v: 1, owners: [], verifiers: [verifier.pinned], images: [] },
    analysts: 'any',
    publishers: world.owners.map(owner => owner.owner.thumbprint),
    backend: cloud.backend(),
    brokers: async () => ({ status: brokers.reply.status, headers: {}, body: once(toUtf8(brokers.reply.body)) }),
    brokerHosts: ['cloister.localhost'],
    runnerEnv: (job, attempt) => ({ CLOISTER_JOB: job, CLOISTER_ATTEMPT: String(attempt) }),
    clock: time,
    logger,
    ...fixed.options
  });
  const socketPath = join(directory, 's');
  const listening = await listen(server.app, { socketPath });
  const { transport, close: closeTransport } = createTransport({ sockets: { 'cloister.localhost': socketPath } });
  const end = async (): Promise<void> => {
    closeTransport();
    await listening.close(0);
    await server.close();
  };
  return {
    world, verifier, cloud, server, transport, clock, brokers,
    client: signer => ({ transport, baseUrl: SERVER_URL, ...(signer === undefined ? {} : { prove: createProver(signer, time) }) }),
    turn: async () => {
      await server.reconciler.tick();
      await server.reconciler.settle();
    },
    restart: async () => {
      await end();
      return open(fixed);
    },
    close: async () => {
      await end();
      await rm(directory, { recursive: true, force: true });
    }
  };
}

/** Owners publish, and the analyst stores her bundle and submits. */
export async function publishAssets({ client, world }: TestServer): Promise<void> {
  for (const { owner, sealed, descriptor } of world.owners) {
    await callRoute(client(owner), SERVER_ROUTES.putAssetFile, { params: { digest: digestOf(sealed) }, body: once(sealed), stream: streamOf(sealed) });
    await callRoute(client(owner), SERVER_ROUTES.publishAsset, { body: { descriptor: descriptor.jws } });
  }
}

export async function submitJob(test: TestServer, headers: Record<string, string> = {}): Promise<Digest> {
  const { client, world } = test;
  await putBundle(test);
  const view = await callRoute(client(world.analyst), SERVER_ROUTES.submitJob, { body: { manifest: world.manifest.jws }, headers });
  return view.job;
}

export async function putBundle({ client, world }: TestServer, bytes: Uint8Array = world.sealedBundle): Promise<void> {
  await callRoute(client(world.analyst), SERVER_ROUTES.putBundle, { params: { digest: world.manifest.payload.code.bundle }, body: once(bytes), stream: streamOf(bytes) });
}

/** A job whose machine runs. */
export async function launchJob(test: TestServer): Promise<Digest> {
  await publishAssets(test);
  const job = await submitJob(test);
  for (let turn = 0; turn < 2; turn += 1) await test.turn();
  test.cloud.boot();
  await test.turn();
  return job;
}

export function streamOf(bytes: Uint8Array): { digest: Digest; size: number } {
  return { digest: digestOf(bytes), size: bytes.length };
}

export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, undefined> {
  yield bytes;
}
