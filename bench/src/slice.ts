import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { openAgent, type Agent } from '@cloister/agent';
import { createOwner, pinBroker, publishAsset, publishPolicy, sealAsset, signPolicy, type Owner } from '@cloister/broker/owner';
import { layoutOf, urlOf } from '@cloister/embedded';
import { createTransport, systemClock, type NodeTransport } from '@cloister/kit';
import { Digest, createAppraisal, type PinnedVerifier } from '@cloister/protocol';
import { measureImage, readSimulatorTrust, toPinnedVerifier } from '@cloister/server';

import type { Bench } from './figure.js';
import { descendantsOf, endProcesses } from './processes.js';

export const OWNERS = ['hospital', 'registry'] as const;
export type OwnerName = (typeof OWNERS)[number];

/** A state directory with both owners' keys, and an analyst who pins them. */
export interface Slice {
  readonly home: string;
  readonly owners: Readonly<Record<OwnerName, Owner>>;
  readonly image: string;
}

/** The whole of Cloister on this machine, running: the daemon as a process, agent and owners' tools in ours. */
export interface RunningSlice extends Slice {
  readonly agent: Agent;
  readonly transport: NodeTransport['transport'];
  /** Of the daemon. */
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

export async function createSlice({ root, python, resources }: Bench): Promise<Slice> {
  const home = join(await resources.folder('home'), 'home');
  await mkdir(join(home, 'agent'), { recursive: true, mode: 0o700 });
  const [hospital, registry] = await Promise.all(OWNERS.map(name => createOwner(join(home, 'owners', name))));
  if (hospital === undefined || registry === undefined) throw new Error('two owners are needed');
  const owners = { hospital, registry };
  const thumbprints = OWNERS.map(name => ({ name, owner: owners[name].signer.thumbprint }));
  await writePrivate(join(home, 'embedded.json'), { v: 1, brokers: thumbprints, idleMinutes: 60, logLevel: 'info', python });
  const image = await measureImage(join(root, 'runner/image'));
  const simulator = toPinnedVerifier(await readSimulatorTrust(layoutOf(home).simulator), 'the attestation simulator of this machine');
  await writeAnalystTrust(home, { owners, simulator, image });
  return { home, owners, image };
}

async function writeAnalystTrust(home: string, { owners, simulator, image }: Omit<Slice, 'home'> & { readonly simulator: PinnedVerifier }): Promise<void> {
  await writePrivate(join(home, 'agent/trust.json'), {
    v: 1,
    owners: OWNERS.map(name => ({ thumbprint: owners[name].signer.thumbprint, name })),
    verifiers: [simulator],
    images: [{ image, source: 'the runner image built in this checkout' }]
  });
  const appraisal = createAppraisal({
    verifiers: [simulator.issuer],
    images: [Digest.parse(image)],
    hardware: ['SIMULATED'],
    attributes: 'any',
    tcb: 'any',
    projects: ['local'],
    envOverrides: ['CLOISTER_SERVER', 'CLOISTER_JOB', 'CLOISTER_ATTEMPT', 'CLOISTER_GATEWAY', 'CLOISTER_PYTHON']
  });
  await writePrivate(join(home, 'agent/appraisal.json'), appraisal);
}

async function writePrivate(file: string, value: unknown): Promise<void> {
  await writeFile(file, `${JSON.stringify(value)}\n`, { mode: 0o600 });
}

const START_MS = 30_000;
/** So long after its start the daemon has nothing left to read or compile. */
export const SETTLE_MS = 3000;

/** Starts the built daemon on it, and the agent. */
export async function startSlice({ root, resources }: Bench, slice: Slice): Promise<RunningSlice> {
  const daemon = spawn(process.execPath, [join(root, 'embedded/lib/main.js'), '--home', slice.home], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(daemon, 'exit');
  const { pid } = daemon;
  if (pid === undefined) throw new Error('the daemon could not be started');
  const endDaemon = resources.onEnd(async () => {
    // Launchers outlive the daemon, as they should; so they are looked for while they are still its children.
    const left = descendantsOf(pid);
    daemon.kill('SIGTERM');
    await exited;
    await endProcesses(left, 6000);
  });
  const said = await Promise.race([once(daemon.stdout, 'data', { signal: AbortSignal.timeout(START_MS) }), exited.then(() => undefined)]);
  if (said === undefined) throw new Error('the daemon ended at once');
  const { transport, close } = createTransport({ sockets: { 'cloister.localhost': layoutOf(slice.home).gateway } });
  const { agent, close: closeAgent } = await openAgent(slice.home);
  const stop = async (): Promise<void> => {
    closeAgent();
    close();
    await endDaemon();
  };
  return { ...slice, agent, transport, pid, stop };
}

export interface NewAsset {
  readonly owner: OwnerName;
  readonly name: string;
  readonly file: string;
  readonly mediaType: string;
  /** Folder for the sealed file. */
  readonly out: string;
}

/** Seals a file to the broker of its owner. */
export async function sealNewAsset({ owners, transport }: RunningSlice, { owner: ownerName, name, file, mediaType, out }: NewAsset): Promise<void> {
  const owner = owners[ownerName];
  const url = urlOf(ownerName);
  const { description } = await pinBroker(owner, { url, transport });
  await sealAsset({ ownerDir: owner.dir, file, name, kind: 'dataset', mediaType, broker: description, url, out });
}

/** Uploads what was sealed, lists it in the catalog, and puts the demo's policy of its owner in force for it. */
export async function publishNewAsset({ owners, transport, agent, image }: RunningSlice, root: string, { owner, name }: Pick<NewAsset, 'owner' | 'name'>): Promise<void> {
  const ownerDir = owners[owner].dir;
  const deps = { ownerDir, transport, clock: systemClock };
  await publishAsset(deps, { name, server: urlOf('server') });
  const text = await readFile(join(root, 'demo/policies', `${owner}.json`), 'utf8');
  const rules: unknown = JSON.parse(text.replaceAll('@image', image).replaceAll('@analyst', agent.analyst));
  await publishPolicy(deps, await signPolicy({ ownerDir, policyInput: { ...objectOf(rules), asset: name } }));
}

function objectOf(value: unknown): object {
  if (typeof value !== 'object' || value === null) throw new Error('a policy is an object');
  return value;
}
