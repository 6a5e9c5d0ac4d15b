import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openAgent, type Agent } from '@cloister/agent';
import { createTransport } from '@cloister/kit';
import { createAppraisal, type AppraisalPolicy, type Digest, type PinnedVerifier, type Rule, type Transport, type Trust } from '@cloister/protocol';
import { measureImage, readSimulatorTrust, toPinnedVerifier } from '@cloister/server';
import { IMAGE_DIR, PYTHON } from './checkout.js';
import { startDaemon, type Daemon, type Wrap } from './daemon.js';
import { makeOwner, withBroker, type Table, type WorldOwner } from './owners.js';
import { endProcessesOf, processesOf } from './processes.js';

/** Stands in no mock, no catalog and no code: where it is found in the operator's files, data got out. */
export const CANARY = 'canary-7f3a91c2d4';

export const MEASUREMENTS: Table = {
  name: 'measurements',
  real: `patient_id,radius\nP-0001,17.99\nP-0002,20.57\nP-0003,${CANARY}\n`,
  mock: 'patient_id,radius\nP-9001,1.0\n'
};
export const OUTCOMES: Table = { name: 'outcomes', real: `patient_id,outcome\nP-0001,malignant\nP-0002,benign\nP-0003,${CANARY}\n`, mock: 'patient_id,outcome\nP-9001,benign\n' };

export type RuleChange = Partial<Rule>;

export interface WorldOptions {
  /** Instead of two small tables. */
  readonly tables?: { readonly hospital: Table; readonly registry: Table };
  /** Replaces members of an owner's one rule. */
  readonly rules?: { readonly hospital?: RuleChange; readonly registry?: RuleChange };
  /** Where the daemon runs. */
  readonly wrap?: (home: string) => Wrap;
}

/** One machine with two owners, an operator and an analyst who trusts both: the whole product as processes. */
export interface World {
  /** Everything of this world lies below. */
  readonly root: string;
  readonly home: string;
  readonly transport: Transport;
  readonly agent: Agent;
  readonly hospital: WorldOwner;
  readonly registry: WorldOwner;
  readonly simulator: PinnedVerifier;
  readonly image: Digest;
  readonly trust: Trust;
  readonly appraisal: AppraisalPolicy;
  readonly daemon: () => Daemon;
  readonly restart: () => Promise<void>;
  /** The usual rule for this analyst, with members replaced. */
  readonly rule: (change?: RuleChange) => Rule;
  /** A folder that is not there yet. */
  readonly newFolder: () => string;
  /** Ends everything, by process number, and removes the folder. @throws Error where something of it lives on */
  readonly close: () => Promise<void>;
}

const OVERRIDES = ['CLOISTER_SERVER', 'CLOISTER_JOB', 'CLOISTER_ATTEMPT', 'CLOISTER_GATEWAY', 'CLOISTER_PYTHON'];

export async function createWorld(options: WorldOptions = {}): Promise<World> {
  // Short: the paths of sockets below it have 107 bytes.
  const root = await mkdtemp('/tmp/cl-');
  const home = join(root, 'h');
  await mkdir(home, { mode: 0o700 });
  const closers: (() => void)[] = [];
  try {
    return await openWorld({ root, home, options, closers });
  } catch (error) {
    await closeWorld(root, closers);
    throw error;
  }
}

interface Opening {
  readonly root: string;
  readonly home: string;
  readonly options: WorldOptions;
  readonly closers: (() => void)[];
}

async function openWorld({ root, home, options, closers }: Opening): Promise<World> {
  const places = (['hospital', 'registry'] as const).map(name => ({ home, name, data: join(root, 'data') }));
  const owners = await Promise.all(places.map(makeOwner));
  const brokers = places.map(({ name }, at) => ({ name, owner: owners[at]?.signer.thumbprint }));
  await writePrivate(join(home, 'embedded.json'), { v: 1, brokers, idleMinutes: 30, logLevel: 'debug', python: PYTHON });
  const wrap = options.wrap?.(home) ?? [];
  let daemon = await startDaemon(home, wrap);
  const network = createTransport({ sockets: { 'cloister.localhost': join(home, 'run/gateway.sock') } });
  closers.push(network.close);
  const { transport } = network;
  const [hospital, registry] = places.map((place, at) => withBroker(required(owners[at]), place, transport));
  const trusted = await writeTrust(home, [required(hospital), required(registry)]);
  const opened = await openAgent(home);
  closers.push(opened.close);
  let folders = 0;
  const world: World = {
    root, home, transport, ...trusted,
    agent: opened.agent,
    hospital: required(hospital),
    registry: required(registry),
    daemon: () => daemon,
    restart: async () => {
      daemon = await startDaemon(home, wrap);
    },
    rule: change => ruleFor(trusted, opened.agent, change),
    newFolder: () => join(root, 'w', String((folders += 1))),
    close: async () => closeWorld(root, closers, daemon)
  };
  await publishTables(world, options);
  return world;
}

async function publishTables({ hospital, registry, rule }: World, { tables, rules }: WorldOptions): Promise<void> {
  for (const [owner, table, change] of [[hospital, tables?.hospital ?? MEASUREMENTS, rules?.hospital], [registry, tables?.registry ?? OUTCOMES, rules?.registry]] as const) {
    await owner.publish(table);
    await owner.allow(table.name, [rule(change)]);
  }
}

type Trusted = Pick<World, 'simulator' | 'image' | 'trust' | 'appraisal'>;

async function writeTrust(home: string, owners: readonly WorldOwner[]): Promise<Trusted> {
  const simulator = toPinnedVerifier(await readSimulatorTrust(join(home, 'simulator')), 'the simulator of this test');
  const image = await measureImage(IMAGE_DIR);
  const trust: Trust = {
    v: 1,
    owners: owners.map(({ name, owner }) => ({ thumbprint: owner.signer.thumbprint, name })),
    verifiers: [simulator],
    images: [{ image, source: 'built in this checkout' }]
  };
  const appraisal = createAppraisal({
    verifiers: [simulator.issuer], images: [image], hardware: ['SIMULATED'], attributes: 'any', tcb: 'any', projects: 'any', envOverrides: [...OVERRIDES]
  });
  await mkdir(join(home, 'agent'), { mode: 0o700, recursive: true });
  await writePrivate(join(home, 'agent/trust.json'), trust);
  await writePrivate(join(home, 'agent/appraisal.json'), appraisal);
  return { simulator, image, trust, appraisal };
}

function ruleFor({ simulator, image }: Trusted, { analyst }: Agent, change: RuleChange = {}): Rule {
  return {
    id: 'study', verifiers: [simulator.issuer], images: [image], envOverrides: [...OVERRIDES], hardware: ['SIMULATED'], debug: false,
    attributes: 'any', projects: 'any', analysts: [analyst], code: 'any', environments: 'any', parameters: 'any', inputs: 'any',
    condition: 'true', outputs: 'release', reviewers: [], maxOutputBytes: 'any', isolation: 'sandbox', uses: 'any', attempts: 'any', expires: 'any',
    ...change
  };
}

async function closeWorld(root: string, closers: readonly (() => void)[], daemon?: Daemon): Promise<void> {
  for (const close of closers) close();
  await daemon?.stop();
  await endProcessesOf(root);
  await rm(root, { recursive: true, force: true });
  const left = processesOf(root);
  if (left.length > 0) throw new Error(`still running: ${left.map(({ pid, command }) => `${pid} ${command}`).join('; ')}`);
}

async function writePrivate(path: string, value: unknown): Promise<void> {
  await writeFile(path, JSON.stringify(value), { mode: 0o600 });
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('an owner is missing');
  return value;
}
