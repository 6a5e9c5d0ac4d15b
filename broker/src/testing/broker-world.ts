import { createLogger, createTransport, listen, type Listening, type Logger, type NodeTransport } from '@cloister/kit';
import {
  BROKER_ROUTES,
  MANIFEST,
  RECEIPT,
  RELEASE_AUDIENCE,
  Release,
  SIMULATOR_ISSUER,
  WrappedCode,
  callRoute,
  codeDigest,
  createId,
  createProver,
  digestOf,
  encodeBundle,
  fromBase64Url,
  headerLength,
  jcs,
  jcsBytes,
  openBytes,
  openHeader,
  parametersCommitment,
  parseJcs,
  sealBytes,
  sessionNonce,
  signObject,
  toBase64Url,
  toTime,
  toUtf8,
  verifyObject,
  type ClientDeps,
  type Digest,
  type Manifest,
  type Policy,
  type Receipt,
  type Rule,
  type Signer,
  type Verified
} from '@cloister/protocol';
import { createTestBundle, createTestIdentity, createTestRule, createTestSigner, createTestVerifier, type MintOptions, type TestIdentity, type TestVerifier } from '@cloister/protocol/testing';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBroker, type Broker, type BrokerOptions } from '../app.js';
import { createOwner, pinBroker, sealAsset, signPolicy, type Owner, type OwnerDeps, type PinnedBroker } from '../owner/index.js';

/** One owner with a broker of her own that answers on a socket, one sealed asset, and an analyst. For tests. */
export interface BrokerWorld {
  readonly dir: string;
  readonly clock: TestClock;
  readonly owner: Owner;
  readonly ownerDeps: OwnerDeps;
  readonly pinned: PinnedBroker;
  readonly verifier: TestVerifier;
  readonly image: Digest;
  readonly analyst: Signer;
  readonly asset: Digest;
  readonly sealedFile: string;
  /** Anybody's client; nothing is proven. */
  readonly client: ClientDeps;
  readonly broker: () => Broker;
  /** Ends the broker and starts it again over the same state; meanwhile `between` may change that. */
  readonly restart: (between?: () => Promise<void>, logger?: Logger) => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface TestClock {
  readonly now: () => Date;
  readonly advance: (ms: number) => void;
}

export interface WorldOptions {
  /** Replaces members of the one rule; `undefined` puts no policy in force. */
  readonly rule?: Partial<Rule> | undefined;
  readonly limits?: BrokerOptions['limits'];
  /** In place of the simulator. */
  readonly verifier?: TestVerifier;
  readonly fetchKeySet?: BrokerOptions['fetchKeySet'];
}

export const TABLE = 'id,value\n1,hospital\n';

export async function createWorld(options: WorldOptions = { rule: {} }): Promise<BrokerWorld> {
  const dir = await mkdtemp(join(tmpdir(), 'broker-'));
  const clock = createTestClock();
  const owner = await createOwner(join(dir, 'owner'));
  const [verifier, analyst, image] = [options.verifier ?? (await sharedVerifier()), await createTestSigner(), digestOf(toUtf8('test image'))];
  const url = 'http://hospital.cloister.localhost';
  const process = await startProcess({ dir, url, clock, owner: owner.signer.thumbprint, trust: { verifiers: [verifier.pinned] }, fetchKeySet: options.fetchKeySet, ...limitsOf(options) });
  const { transport } = process.network;
  const client: ClientDeps = { transport, baseUrl: url };
  const pinned = await pinBroker(owner, { url, transport });
  await writeFile(join(dir, 'table.csv'), TABLE);
  const sealed = await sealAsset({
    ownerDir: owner.dir, file: join(dir, 'table.csv'), name: 'table', kind: 'dataset', mediaType: 'text/csv', broker: pinned.description, url, out: join(dir, 'sealed')
  });
  await callRoute(client, BROKER_ROUTES.putDescriptor, { body: { descriptor: sealed.descriptor.jws } });
  const world: BrokerWorld = {
    dir, clock, owner, pinned, verifier, image, analyst, client,
    ownerDeps: { ownerDir: owner.dir, transport, clock },
    asset: sealed.descriptor.digest,
    sealedFile: sealed.sealedFile,
    broker: () => process.broker(),
    restart: process.restart,
    close: async () => {
      await process.close();
      await rm(dir, { recursive: true });
    }
  };
  if (options.rule !== undefined) await putRules(world, [options.rule]);
  return world;
}

let verifierOfAll: Promise<TestVerifier> | undefined;

/** RSA keys take a second to make, and no test changes them. */
async function sharedVerifier(): Promise<TestVerifier> {
  verifierOfAll ??= createTestVerifier();
  return verifierOfAll;
}

const limitsOf = ({ limits }: WorldOptions): Pick<BrokerOptions, 'limits'> => (limits === undefined ? {} : { limits });

export function createTestClock(): TestClock {
  let now = Date.now();
  return { now: () => new Date(now), advance: ms => (now += ms) };
}

interface ProcessOptions extends Pick<BrokerOptions, 'owner' | 'trust' | 'limits' | 'fetchKeySet'> {
  readonly dir: string;
  readonly url: string;
  readonly clock: TestClock;
}

interface BrokerProcess {
  readonly network: NodeTransport;
  readonly broker: () => Broker;
  readonly restart: (between?: () => Promise<void>, logger?: Logger) => Promise<void>;
  readonly close: () => Promise<void>;
}

async function startProcess({ dir, url, ...rest }: ProcessOptions): Promise<BrokerProcess> {
  const socketPath = join(dir, 'broker.sock');
  const network = createTransport({ sockets: { 'cloister.localhost': socketPath } });
  const silent = createLogger({ service: 'broker', level: 'silent', destination: 'stderr' });
  const start = async (logger = silent): Promise<{ broker: Broker; listening: Listening }> => {
    const broker = await createBroker({ ...rest, stateDir: stateDirOf(dir), headsFile: headsFileOf(dir), publicUrl: url, logger });
    return { broker, listening: await listen(broker.app, { socketPath }) };
  };
  const stop = async (): Promise<void> => {
    await running.listening.close();
    await running.broker.close();
  };
  let running = await start();
  return {
    network,
    broker: () => running.broker,
    restart: async (between, logger) => {
      await stop();
      await between?.();
      running = await start(logger);
    },
    close: async () => {
      network.close();
      await stop();
    }
  };
}

export const stateDirOf = (dir: string): string => join(dir, 'broker');
export const headsFileOf = (dir: string): string => join(dir, 'outside', 'heads.json');

/** Rules like the test's own, each with these members replaced. */
export function rulesOf(world: Pick<BrokerWorld, 'analyst' | 'image'>, rules: readonly Partial<Rule>[]): Rule[] {
  return rules.map(rule => createTestRule({ analysts: [world.analyst.thumbprint], images: [world.image], ...rule }));
}

/** Puts a policy with these rules in force. */
export async function putRules(world: BrokerWorld, rules: readonly Partial<Rule>[], version?: number): Promise<Verified<Policy>> {
  const counted = version === undefined ? {} : { version };
  const policy = await signPolicy({ ownerDir: world.owner.dir, policyInput: { asset: 'table', allow: rulesOf(world, rules), ...counted } });
  await callRoute(world.client, BROKER_ROUTES.putPolicy, { body: { policy: policy.jws } });
  return policy;
}

export interface ManifestOptions {
  readonly analyst?: Signer;
  readonly inputs?: readonly Digest[];
  /** `own`: this broker keeps the code's key; `stranger`: another one does. */
  readonly custodian?: 'own' | 'stranger';
  readonly manifest?: Partial<Manifest>;
  readonly code?: Partial<Manifest['code']>;
}

/** A job, really signed, its code really sealed and wrapped. */
export async function makeJob(world: BrokerWorld, options: ManifestOptions = {}): Promise<Verified<Manifest> & { readonly bundleKey: string }> {
  const analyst = options.analyst ?? world.analyst;
  const [identity, stranger, bundle] = [await createTestIdentity(), await createTestIdentity(), createTestBundle(['print("hello")'])];
  const sealed = await sealBytes(encodeBundle(bundle), [identity.recipient]);
  const fileKey = await openHeader(sealed.slice(0, headerLength(sealed)), identity.identity);
  const bundleKey = toBase64Url(fileKey);
  const wrapped = WrappedCode.parse({ v: 1, purpose: 'cloister/code/v1', analyst: analyst.thumbprint, bundle: digestOf(sealed), fileKey: bundleKey });
  const own = options.custodian !== 'stranger';
  const recipient = own ? world.pinned.description.recipients.bundle : stranger.recipient;
  const custodian = { broker: own ? world.pinned.description.broker : (await createTestSigner()).thumbprint, url: world.client.baseUrl, wrapped: await wrap(wrapped, recipient) };
  const now = world.clock.now();
  const manifest: Manifest = {
    v: 1, id: createId(now), step: 'main', analyst: analyst.thumbprint, notAfter: toTime(new Date(now.getTime() + 3_600_000)), maxAttempts: 3,
    inputs: (options.inputs ?? [world.asset]).map((asset, at) => ({ name: at === 0 ? 'hospital/table' : `hospital/table-${at}`, asset })),
    outputs: { recipients: [identity.recipient], reviewers: [] },
    ...options.manifest,
    code: {
      digest: codeDigest(bundle.header), bundle: digestOf(sealed), environment: 'image', parameters: parametersCommitment(bundle.header), custodians: [custodian],
      runner: { verifiers: [SIMULATOR_ISSUER], images: [world.image], hardware: ['SIMULATED'], debug: false },
      ...options.code
    }
  };
  return { ...(await signObject(MANIFEST, manifest, analyst)), bundleKey };
}

/** Seals what ought to be a WrappedCode to a recipient. */
export async function wrap(code: unknown, recipient: TestIdentity['recipient']): Promise<string> {
  return toBase64Url(await sealBytes(jcsBytes(code), [recipient]));
}

export async function challenge(world: BrokerWorld, manifest: Verified<Manifest>, attempt = 1): Promise<string> {
  return (await callRoute(world.client, BROKER_ROUTES.createChallenge, { body: { manifest: manifest.jws, attempt } })).challenge;
}

export interface RunnerKeys {
  readonly identity: TestIdentity;
  readonly signer: Signer;
}

export async function makeRunner(): Promise<RunnerKeys> {
  return { identity: await createTestIdentity(), signer: await createTestSigner() };
}

export interface SessionOptions {
  readonly runner: RunnerKeys;
  readonly challenge: string;
  readonly attempt?: number;
  readonly job?: Digest;
  readonly token?: Partial<MintOptions>;
}

/** A session over one challenge, and a token that answers for it. */
export async function attest(world: BrokerWorld, manifest: Verified<Manifest>, options: SessionOptions): Promise<{ session: string; tokens: [string] }> {
  const { runner, attempt = 1 } = options;
  const session = jcs({
    v: 1, job: options.job ?? manifest.digest, step: 'main', attempt, recipient: runner.identity.recipient, key: runner.signer.thumbprint,
    challenges: [{ broker: world.pinned.description.broker, challenge: options.challenge }]
  });
  const token = await world.verifier.mint({
    audience: RELEASE_AUDIENCE, nonces: [sessionNonce(session)], image: world.image, instance: 'cloister-1', issuedAt: world.clock.now(), ...options.token
  });
  return { session, tokens: [token] };
}

export async function release(world: BrokerWorld, body: { session: string; tokens: [string] }): Promise<string> {
  return (await callRoute(world.client, BROKER_ROUTES.createRelease, { body })).sealed;
}

/** Challenge, attestation and release of one attempt, as a runner does them. */
export async function runAttempt(world: BrokerWorld, manifest: Verified<Manifest>, attempt = 1): Promise<Opened> {
  const runner = await makeRunner();
  const body = await attest(world, manifest, { runner, attempt, challenge: await challenge(world, manifest, attempt) });
  return openRelease(world, await release(world, body), runner);
}

export interface Opened extends Release {
  readonly verified: Verified<Receipt>;
}

/** Opens a reply as the runner does, and verifies its receipt by the pinned broker. */
export async function openRelease(world: BrokerWorld, sealed: string, runner: RunnerKeys): Promise<Opened> {
  const opened = Release.parse(parseJcs(await openBytes(fromBase64Url(sealed), runner.identity.identity)));
  return { ...opened, verified: await verifyObject(RECEIPT, opened.receipt, world.pinned.description.broker) };
}

/** A client that proves who asks. */
export function clientOf(world: BrokerWorld, signer: Signer): ClientDeps {
  return { ...world.client, prove: createProver(signer, world.clock) };
}

/** Makes a directory for a test's own files. */
export async function folderIn(world: BrokerWorld, name: string): Promise<string> {
  const path = join(world.dir, name);
  await mkdir(path, { recursive: true });
  return path;
}
