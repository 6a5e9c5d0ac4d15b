/**
 * Tries, from inside both sandboxes, to reach what a notebook must not. The runner does so before it works, and refuses to
 * where anything is reached: what a host allows is seen by trying, not by asking for its version.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';

import { AppError } from '@cloister/protocol';
import { z } from 'zod';

import type { SandboxForm, SandboxRoot } from './bubblewrap.js';
import type { Interpreter } from './interpreter.js';
import { reap } from './reaper.js';
import { startSandbox } from './sandbox-process.js';
import { createStage, driverRoot, INSIDE, kernelRoot, ONLY_IN_DRIVER, ONLY_IN_KERNEL, type Programs } from './stage.js';

/** What is tried; the same names as in probe.py. */
export const PROBES = [
  'tee_socket',
  'metadata_address',
  'metadata_name',
  'network_route',
  'host_loopback',
  'abstract_socket',
  'runner_files',
  'other_sandbox',
  'inherited_files',
  'host_processes',
  'devices',
  'user_namespaces',
  'new_privileges',
  'capabilities',
  'write_outside'
] as const;

export type Probe = (typeof PROBES)[number];

export interface ProbeResult {
  readonly probe: Probe;
  readonly sandbox: 'driver' | 'kernel';
  readonly blocked: boolean;
}

export interface ProbeTargets {
  readonly interpreter: Interpreter;
  /** The folder with driver/, kernel/ and probe/. */
  readonly driverDir: string;
  /** The folder that holds the `cloister` Python package. */
  readonly cloisterModuleDir: string;
  /** Host folder in which the probe makes one of its own and removes it; looked for inside as the runner’s files are. */
  readonly scratch: string;
  /** Host path of the socket that mints attestation tokens. */
  readonly teeSocket: string;
  /** Files and folders of the runner that a notebook must not see: its image, its keys, other jobs. */
  readonly runnerFiles: readonly string[];
}

const METADATA_ADDRESS = '169.254.169.254';
const METADATA_NAME = 'metadata.google.internal';
/** Addresses of documentation and of the internet at large: any route at all is one too many. */
const ADDRESSES = ['192.0.2.1', '8.8.8.8', '10.0.0.1', '2001:db8::1', '2001:4860:4860::8888'];
const FORBIDDEN_DEVICES = ['/dev/tpm*', '/dev/sev*', '/dev/tdx*', '/dev/kvm', '/dev/mem'];
const ALLOWED_DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'tty', 'console', 'ptmx'];
const READ_ONLY_FOLDERS = ['/', '/usr', '/usr/bin', '/etc', '/dev', '/home', '/cloister', INSIDE.probe];
const KERNEL_SETTINGS = ['/proc/sys/kernel/core_pattern', '/proc/sys/kernel/modprobe', '/proc/sysrq-trigger', '/proc/1/oom_score_adj'];
const MAX_FILES = 500;
const PROBE_WITHIN_MS = 60_000;

/** Runs every probe in both sandboxes. Throws `sandbox_leaks` where a probe gives no answer: unknown is not blocked. */
export async function probeSandbox(form: SandboxForm, targets: ProbeTargets): Promise<ProbeResult[]> {
  const scratch = await mkdtemp(join(targets.scratch, 'probe-'));
  const abstractSocket = `cloister-probe-${randomUUID()}`;
  const tcp = await listenOnLoopback();
  const closeAbstract = await listenOnAbstract(targets, abstractSocket);
  try {
    const { interpreter } = targets;
    const programs: Programs = { interpreter, driverDir: targets.driverDir, cloisterModuleDir: targets.cloisterModuleDir };
    const stage = await createStage(scratch, '{}', []);
    const common = { ...(await commonQuestions(targets, programs)), loopbackPort: portOf(tcp), abstractSocket };
    const kernel = probeOne(form, interpreter.path, {
      root: withProbe(kernelRoot(stage, programs, { inputs: [], folder: '.' }), targets),
      questions: { ...common, otherSandbox: ONLY_IN_DRIVER }
    });
    const driver = probeOne(form, interpreter.path, {
      root: withProbe(driverRoot(stage, programs), targets),
      questions: { ...common, otherSandbox: ONLY_IN_KERNEL }
    });
    const [inKernel, inDriver] = await Promise.all([kernel, driver]);
    return [...results('kernel', inKernel), ...results('driver', inDriver)];
  } finally {
    tcp.close();
    await closeAbstract();
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Throws `sandbox_leaks`, naming every probe that got through. No results at all are no proof either. */
export function requireBlocked(probed: readonly ProbeResult[]): void {
  const missing = (['kernel', 'driver'] as const).flatMap(sandbox =>
    PROBES.filter(probe => !probed.some(result => result.sandbox === sandbox && result.probe === probe)).map(probe => `${sandbox}:${probe}`)
  );
  const reached = probed.filter(({ blocked }) => !blocked).map(({ sandbox, probe }) => `${sandbox}:${probe}`);
  if (reached.length === 0 && missing.length === 0) return;
  throw new AppError('sandbox_leaks', `reached from inside: ${reached.join(', ') || 'nothing'}; not probed: ${missing.join(', ') || 'nothing'}`, {
    members: { reached, missing }
  });
}

const Answer = z.strictObject({ reached: z.record(z.enum(PROBES), z.boolean()) });
type Reached = z.infer<typeof Answer>['reached'];

function results(sandbox: ProbeResult['sandbox'], reached: Reached): ProbeResult[] {
  return PROBES.map(probe => ({ probe, sandbox, blocked: !reached[probe] }));
}

function withProbe(root: SandboxRoot, { driverDir }: ProbeTargets): SandboxRoot {
  return { ...root, readOnly: [...root.readOnly, { from: join(driverDir, 'probe'), to: INSIDE.probe }] };
}

async function probeOne(form: SandboxForm, python: string, task: { root: SandboxRoot; questions: unknown }): Promise<Reached> {
  const sandbox = startSandbox(form, { root: task.root, command: [python, '-I', `${INSIDE.probe}/probe.py`] });
  const timer = setTimeout(() => sandbox.kill(), PROBE_WITHIN_MS);
  try {
    sandbox.stdin.end(JSON.stringify(task.questions));
    const chunks: string[] = [];
    sandbox.stdout.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
    await sandbox.ended;
    return Answer.parse(JSON.parse(chunks.join(''))).reached;
  } catch (cause) {
    throw new AppError('sandbox_leaks', `the probe gave no answer: ${sandbox.stderr().trim()}`, { cause });
  } finally {
    clearTimeout(timer);
    sandbox.kill();
    await sandbox.ended;
    await reap([sandbox.trace]);
  }
}

async function commonQuestions(targets: ProbeTargets, programs: Programs): Promise<Record<string, unknown>> {
  const listed = await Promise.all([...targets.runnerFiles, targets.scratch].map(filesOf));
  return {
    teeSocket: targets.teeSocket,
    metadataAddress: METADATA_ADDRESS,
    metadataName: METADATA_NAME,
    network: { addresses: ADDRESSES, loopback: ['lo'] },
    runnerFiles: listed.flat(),
    firstFile: 3,
    host: await hostProcess(),
    devices: { forbidden: FORBIDDEN_DEVICES, allowed: ALLOWED_DEVICES },
    write: { folders: [...READ_ONLY_FOLDERS, ...programs.interpreter.roots], files: KERNEL_SETTINGS }
  };
}

/** Files at and below `path`, for a folder itself may be there, empty, as the way to a Python beside it. */
async function filesOf(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return [path];
  const files: string[] = [];
  for (const entry of entries) {
    if (files.length >= MAX_FILES) break;
    const below = join(path, entry.name);
    if (entry.isDirectory()) files.push(...(await filesOf(below)));
    else files.push(below);
  }
  return files;
}

/** By what the probe would know the runner’s own process, if it saw it. */
async function hostProcess(): Promise<{ pid: number; startTime: string; pidNamespace: string }> {
  const stat = await readFile('/proc/self/stat', 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { pid: process.pid, startTime: fields[19] ?? '', pidNamespace: await readlink('/proc/self/ns/pid') };
}

async function listenOnLoopback(): Promise<Server> {
  const server = createServer(connection => connection.destroy()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** An abstract socket belongs to the network namespace: chroot, uid and mounts do not hide it. Returns how to close it. */
async function listenOnAbstract({ interpreter, driverDir }: ProbeTargets, name: string): Promise<() => Promise<void>> {
  const listener = spawn(interpreter.path, ['-I', join(driverDir, 'probe/abstract_listener.py'), name], { env: {}, stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = once(listener, 'close');
  const first = await Promise.race([once(listener.stdout, 'data'), ended]);
  if (String(first[0]) !== 'listening\n') throw new AppError('sandbox_leaks', 'the host’s abstract socket cannot be made, so it was not probed');
  return async () => {
    listener.stdin.end();
    await ended;
  };
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new AppError('internal', 'the listener has no port');
  return address.port;
}
