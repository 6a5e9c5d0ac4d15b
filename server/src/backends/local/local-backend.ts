import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError, digestOfJson, toTime, type Digest } from '@cloister/protocol';
import * as z from 'zod/mini';
import { InstanceName, MAX_RUN_SECONDS, parseLaunchRequest, type BackendCapabilities, type Instance, type LaunchRequest, type TeeBackend } from '../port.js';
import { clearInstance, isCleared, type ClearedInstance } from './clearing.js';
import { InstanceStore, isAbandoned, type InstanceDirectory, type LaunchFile, type StatusFile } from './instance-store.js';
import { measureImage, readImage } from './measure.js';
import { ensurePrivateDirectory } from './private-files.js';
import { isAlive, signal as signalProcess, until, waitForEnd } from './processes.js';
import { workloadPaths } from './workload.js';

/** The launcher's entry in the built package. */
export const LAUNCHER_ENTRY = fileURLToPath(new URL('./launcher-main.js', import.meta.url));

export interface LocalBackendOptions {
  /** One directory an instance; kept between daemons. */
  readonly stateDir: string;
  /** The simulator's keys; made on first use. */
  readonly keysDir: string;
  /** The built runner image. */
  readonly imageDir: string;
  /** Short private directory for unix sockets; instances keep theirs when a later daemon names another. */
  readonly socketRoot: string;
  readonly nodePath?: string;
  readonly launcherEntry?: string;
  /** Environment of the runner that no token shows, as PATH; never a name that a launch request may set. */
  readonly extraEnv?: Readonly<Record<string, string>>;
  /** How long a runner that is told to end may take before it is killed. */
  readonly killGraceMs?: number;
}

/** sun_path holds 108 bytes with its final zero; Node cuts a longer path silently, and binds somewhere else. */
const MAX_SOCKET_PATH_BYTES = 107;
const CLAIM_TIMEOUT_MS = 20_000;
const RESERVED_ENV = /^(?:CLOISTER_TEE_SOCKET|CLOISTER_SCRATCH|HOSTNAME|LD_.*|NODE_.*)$/;

/**
 * Runners as processes of this machine, each under a launcher simulator of its own. All state lies in files, so any
 * daemon over the same directory sees and ends what another one started.
 */
export class LocalBackend implements TeeBackend {
  readonly kind = 'local';
  private readonly options: Required<LocalBackendOptions>;
  private readonly store: InstanceStore;

  constructor(options: LocalBackendOptions) {
    this.options = {
      nodePath: process.execPath,
      launcherEntry: LAUNCHER_ENTRY,
      extraEnv: {},
      killGraceMs: 3000,
      ...options,
      stateDir: resolve(options.stateDir),
      keysDir: resolve(options.keysDir),
      imageDir: resolve(options.imageDir),
      socketRoot: resolve(options.socketRoot)
    };
    this.store = new InstanceStore(this.options.stateDir);
  }

  capabilities(): BackendCapabilities {
    return { hardware: ['SIMULATED'], tokenTypes: ['OIDC', 'PKI'], simulated: true, maxRunSeconds: MAX_RUN_SECONDS };
  }

  async launch(requested: LaunchRequest, signal: AbortSignal): Promise<Instance> {
    signal.throwIfAborted();
    const request = parseLaunchRequest(requested);
    const launch = await this.prepare(request);
    signal.throwIfAborted();
    await this.sweep();
    const created = await this.store.create(launch);
    const directory = this.store.at(request.name);
    if (!created) await this.requireSame(directory, launch);
    // Started also for one that exists unclaimed: its daemon may have died before it could. One launcher goes on.
    const claim = await directory.readClaim();
    if (claim?.launcher === null) throw new AppError('launch_failed', 'an instance of this name is being deleted');
    if (claim === undefined) await this.start(request.name, directory, signal);
    const instance = await this.get(request.name);
    if (instance === undefined) throw new AppError('launch_failed', 'the instance was deleted while it was launched');
    return instance;
  }

  async get(name: string): Promise<Instance | undefined> {
    const parsed = z.safeParse(InstanceName, name);
    if (!parsed.success) return undefined;
    const madeAt = await this.store.madeAt(parsed.data);
    if (madeAt === undefined) return undefined;
    const directory = this.store.at(parsed.data);
    const launch = await directory.readLaunch();
    // Damaged, as by a crash of the whole machine: listed, so that its owner deletes it.
    if (launch === undefined) {
      const isThere = (await this.store.madeAt(parsed.data)) !== undefined;
      return isThere ? { name: parsed.data, labels: {}, status: 'terminated', launchedAt: toTime(madeAt) } : undefined;
    }
    return toInstance(launch, await this.currentStatus(directory, launch));
  }

  async list(): Promise<Instance[]> {
    const instances = await Promise.all((await this.store.names()).map(name => this.get(name)));
    return instances.filter(instance => instance !== undefined);
  }

  async delete(name: string): Promise<void> {
    const parsed = z.safeParse(InstanceName, name);
    if (!parsed.success || (await this.store.madeAt(parsed.data)) === undefined) return;
    const directory = this.store.at(parsed.data);
    const launch = await directory.readLaunch();
    // Taking the claim keeps a launcher that is still on its way from starting anything. One that is there needs no
    // writing: the disk may be full, and of this very instance.
    if ((await directory.readClaim()) === undefined) await directory.claim(null);
    const launcher = (await directory.readClaim())?.launcher ?? undefined;
    if (launcher !== undefined) {
      await signalProcess(launcher, 'SIGTERM');
      const grace = (launch?.killGraceMs ?? 0) + 2000;
      if (!(await waitForEnd(launcher, grace))) await signalProcess(launcher, 'SIGKILL');
      if (!(await waitForEnd(launcher, 5000))) throw new AppError('internal', 'the launcher does not end');
    }
    // Before the name is free: as long as something is left, the instance is listed, and deleted again.
    const leftover = await clearInstance({ directory, launcher, runDir: launch?.runDir });
    if (leftover !== undefined) throw new AppError('internal', `the instance is not deleted: ${leftover}`);
    await this.store.remove(parsed.data);
  }

  /** Tries again what could not be removed when it was due. What still cannot keeps nobody from launching. */
  private async sweep(): Promise<void> {
    await this.store.sweep(new Date());
    await Promise.all((await this.store.names()).map(name => this.clearEnded(name)));
  }

  private async clearEnded(name: InstanceName): Promise<void> {
    const directory = this.store.at(name);
    const launch = await directory.readLaunch();
    const launcher = (await directory.readClaim())?.launcher ?? undefined;
    const ended: ClearedInstance = { directory, launcher, runDir: launch?.runDir };
    if (await isCleared(ended)) return;
    if (launcher !== undefined && (await isAlive(launcher))) return;
    const isOver = launch === undefined || (await this.currentStatus(directory, launch)).status === 'terminated';
    if (isOver && !(await isCleared(ended))) await clearInstance(ended);
  }

  /** Everything that can be refused is refused here, before anything is stored. */
  private async prepare(request: LaunchRequest): Promise<LaunchFile> {
    const { imageDir, keysDir, nodePath, extraEnv, socketRoot, killGraceMs } = this.options;
    const { labels } = await readImage(imageDir);
    for (const name of Object.keys(request.env)) {
      if (!labels.allowEnvOverride.includes(name) || RESERVED_ENV.test(name)) throw new AppError('launch_failed', `the image does not allow ${name} to be set`);
    }
    for (const name of Object.keys(extraEnv)) {
      if (labels.allowEnvOverride.includes(name) || RESERVED_ENV.test(name)) throw new AppError('launch_failed', `${name} may not be set unattested`);
    }
    const image = await measureImage(imageDir);
    const runDir = join(socketRoot, randomBytes(6).toString('hex'));
    if (Buffer.byteLength(workloadPaths(runDir).socket) > MAX_SOCKET_PATH_BYTES) {
      throw new AppError('launch_failed', `the path of the TEE socket is longer than ${MAX_SOCKET_PATH_BYTES} bytes`, { hint: 'Name a shorter directory for sockets.' });
    }
    await ensurePrivateDirectory(socketRoot);
    return { v: 1, request, image, imageDir, keysDir, nodePath, extraEnv, runDir, killGraceMs, createdAt: toTime(new Date()) };
  }

  private async requireSame(directory: InstanceDirectory, wanted: LaunchFile): Promise<void> {
    const found = await directory.readLaunch();
    if (found === undefined || identityOf(found) !== identityOf(wanted)) {
      throw new AppError('already_exists', `${wanted.request.name} is another job, attempt, environment or image`);
    }
  }

  private async start(name: InstanceName, directory: InstanceDirectory, signal: AbortSignal): Promise<void> {
    const launcher = this.spawnLauncher(directory);
    let ended: string | undefined;
    launcher.once('error', error => { ended = error.message; });
    launcher.once('exit', code => { ended ??= `exit code ${String(code)}`; });
    const claimed = await until(CLAIM_TIMEOUT_MS, async () => {
      const hasEnded = ended !== undefined;
      return signal.aborted || (await directory.readClaim()) !== undefined || hasEnded;
    });
    signal.throwIfAborted();
    if (claimed && (await directory.readClaim()) !== undefined) return;
    await this.delete(name);
    throw new AppError('launch_failed', 'the launcher did not start', { cause: new Error(ended ?? 'no claim in time') });
  }

  private spawnLauncher(directory: InstanceDirectory) {
    const log = openSync(directory.launcherLog, 'a', 0o600);
    try {
      // A session of its own, files for output: a kill -9 of this process does not reach it.
      const launcher = spawn(this.options.nodePath, [this.options.launcherEntry, directory.path], {
        cwd: '/',
        env: {},
        detached: true,
        stdio: ['ignore', log, log]
      });
      launcher.unref();
      return launcher;
    } finally {
      closeSync(log);
    }
  }

  private async currentStatus(directory: InstanceDirectory, launch: LaunchFile): Promise<StatusFile> {
    const claim = await directory.readClaim();
    if (claim === undefined) {
      return { v: 1, status: isAbandoned(launch, new Date()) ? 'terminated' : 'starting' };
    }
    const alive = claim.launcher !== null && (await isAlive(claim.launcher));
    // Read after looking for the process: a launcher writes its last status before it ends.
    const status = await directory.readStatus();
    if (alive || status?.status === 'terminated') return status ?? { v: 1, status: 'starting' };
    if (claim.launcher === null) return { v: 1, status: 'terminated' };
    return this.reapLost({ directory, launcher: claim.launcher, runDir: launch.runDir }, status);
  }

  /** The launcher was killed: without it no time limit and no TEE socket, so its workload ends too. */
  private async reapLost(lost: ClearedInstance, last: StatusFile | undefined): Promise<StatusFile> {
    await clearInstance(lost);
    const { imageDigest } = last ?? {};
    const status: StatusFile = { v: 1, status: 'terminated', reason: 'launcher_lost', ...(imageDigest === undefined ? {} : { imageDigest }) };
    // Where it cannot be written, as on a full disk, the next look comes here again. Nor does it matter if it was deleted
    // meanwhile.
    await lost.directory.writeStatus(status).catch(() => undefined);
    return status;
  }
}

/** What makes a second launch the same launch. */
function identityOf({ request: { job, attempt, env }, image }: LaunchFile): Digest {
  return digestOfJson({ job, attempt, env, image });
}

function toInstance({ request, createdAt }: LaunchFile, { status, imageDigest, exitCode }: StatusFile): Instance {
  return {
    name: request.name,
    labels: request.labels,
    status,
    launchedAt: createdAt,
    ...(imageDigest === undefined ? {} : { imageDigest }),
    ...(exitCode === undefined || status !== 'terminated' ? {} : { exitCode })
  };
}
