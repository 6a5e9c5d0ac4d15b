import { randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, Digest, parseJson, Time } from '@cloister/protocol';
import * as z from 'zod/mini';
import { InstanceName, InstanceStatus, LaunchRequest } from '../port.js';
import { createOnce, ensurePrivateDirectory, hasCode, readIfThere, writeWhole } from './private-files.js';
import { ProcessIdentity } from './processes.js';
import { removeTree } from './remove-tree.js';

/** All that the launcher process is told; it gets nothing by arguments or environment. */
export const LaunchFile = z.strictObject({
  v: z.literal(1),
  request: LaunchRequest,
  /** As the daemon measured it; what is attested is the launcher's own measurement. */
  image: Digest,
  imageDir: z.string(),
  keysDir: z.string(),
  nodePath: z.string(),
  extraEnv: z.record(z.string(), z.string()),
  /** Short private directory of this instance's sockets. */
  runDir: z.string(),
  killGraceMs: z.int(),
  createdAt: Time
});
export type LaunchFile = z.infer<typeof LaunchFile>;

/** Written once per instance: by the one launcher that runs it, or by a deletion before any launcher came. */
const Claim = z.strictObject({ v: z.literal(1), launcher: z.nullable(ProcessIdentity) });
export type Claim = z.infer<typeof Claim>;

export const StatusFile = z.strictObject({
  v: z.literal(1),
  status: InstanceStatus,
  imageDigest: z.optional(Digest),
  exitCode: z.optional(z.int()),
  /** Why it ended, for the operator. */
  reason: z.optional(z.enum(['exited', 'max_run_seconds', 'stopped', 'launcher_lost', 'launch_failed']))
});
export type StatusFile = z.infer<typeof StatusFile>;

/** After this an instance that no launcher has claimed never runs: launchers refuse it, daemons count it as ended. */
const CLAIM_WINDOW_MS = 30_000;
/** Daemons wait longer than launchers, so that the two cannot disagree. */
const CLAIM_MARGIN_MS = 15_000;

/** Errors that stay with a file, whoever asks and whenever. */
const DAMAGE = ['EISDIR', 'ENOTDIR', 'ELOOP', 'EACCES', 'EPERM', 'EIO'];

/** The files of one instance. Every file is replaced or created as a whole. */
export class InstanceDirectory {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Where the workload may write; also the mark by which its processes are found. */
  get scratch(): string {
    return join(this.path, 'scratch');
  }

  /** Where the runner lists the pid namespaces of its sandboxes. Beside the scratch directory: no sandbox reaches it. */
  get sandboxList(): string {
    return `${this.scratch}.sandboxes`;
  }

  get mark(): string {
    return `CLOISTER_SCRATCH=${this.scratch}`;
  }

  get launcherLog(): string {
    return join(this.path, 'launcher.log');
  }

  get workloadLog(): string {
    return join(this.path, 'workload.log');
  }

  readLaunch(): Promise<LaunchFile | undefined> {
    return this.read('launch.json', LaunchFile);
  }

  readClaim(): Promise<Claim | undefined> {
    return this.read('claim.json', Claim);
  }

  readStatus(): Promise<StatusFile | undefined> {
    return this.read('status.json', StatusFile);
  }

  /** True for one caller only; for nobody once the instance is removed. */
  async claim(launcher: ProcessIdentity | null): Promise<boolean> {
    try {
      return await createOnce(join(this.path, 'claim.json'), JSON.stringify({ v: 1, launcher } satisfies Claim));
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
      throw error;
    }
  }

  writeStatus(status: StatusFile): Promise<void> {
    return writeWhole(join(this.path, 'status.json'), JSON.stringify(status));
  }

  /** A file that is damaged counts as missing: nothing is run or adopted because of it. */
  private async read<T>(name: string, schema: z.ZodMiniType<T>): Promise<T | undefined> {
    try {
      const text = await readIfThere(join(this.path, name));
      if (text === undefined) return undefined;
      const parsed = z.safeParse(schema, parseJson(text));
      return parsed.success ? parsed.data : undefined;
    } catch (error) {
      if (error instanceof AppError || hasCode(error, ...DAMAGE)) return undefined;
      // As of too many open files: that says nothing of the instance.
      throw error;
    }
  }
}

/** For the launcher: may it still claim? */
export function isClaimable(launch: LaunchFile, now: Date): boolean {
  return now.getTime() < Date.parse(launch.createdAt) + CLAIM_WINDOW_MS;
}

/** For the daemon: is it certain that no launcher will claim it any more? */
export function isAbandoned(launch: LaunchFile, now: Date): boolean {
  return now.getTime() > Date.parse(launch.createdAt) + CLAIM_WINDOW_MS + CLAIM_MARGIN_MS;
}

/** One directory an instance under the state directory. A name is there complete, or not at all. */
export class InstanceStore {
  private readonly stateDir: string;

  constructor(stateDir: string) {
    this.stateDir = stateDir;
  }

  at(name: InstanceName): InstanceDirectory {
    return new InstanceDirectory(join(this.stateDir, name));
  }

  /** When the instance's directory was made; undefined where there is none. */
  async madeAt(name: InstanceName): Promise<Date | undefined> {
    try {
      return (await lstat(this.at(name).path)).mtime;
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  /** False where the name is taken. */
  async create(launch: LaunchFile): Promise<boolean> {
    await ensurePrivateDirectory(this.stateDir);
    const draft = join(this.stateDir, `.new-${randomBytes(8).toString('hex')}`);
    await mkdir(draft, { mode: 0o700 });
    try {
      await createOnce(join(draft, 'launch.json'), JSON.stringify(launch));
      // A rename onto a directory that holds something fails, so one of any number of callers succeeds.
      await rename(draft, this.at(launch.request.name).path);
      return true;
    } catch (error) {
      await removeTree(draft);
      if (hasCode(error, 'ENOTEMPTY', 'EEXIST')) return false;
      throw error;
    }
  }

  async names(): Promise<InstanceName[]> {
    return (await this.entries()).flatMap(name => {
      const parsed = z.safeParse(InstanceName, name);
      return parsed.success ? [parsed.data] : [];
    });
  }

  /**
   * Renamed first, so that a crash half-way leaves no half instance.
   * @throws AppError internal where files are left, for a sweep to remove
   */
  async remove(name: InstanceName): Promise<void> {
    const grave = join(this.stateDir, `.old-${randomBytes(8).toString('hex')}`);
    try {
      await rename(this.at(name).path, grave);
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
    if (!(await removeTree(grave))) throw new AppError('internal', 'files of a deleted instance remain');
  }

  /** Removes what crashed daemons left half made or half removed; what it cannot, the next sweep tries again. */
  async sweep(now: Date): Promise<void> {
    for (const entry of await this.entries()) {
      const path = join(this.stateDir, entry);
      if (entry.startsWith('.old-') || (entry.startsWith('.new-') && (await isOlder(path, now)))) {
        await removeTree(path);
      }
    }
  }

  private async entries(): Promise<string[]> {
    try {
      return await readdir(this.stateDir);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return [];
      throw error;
    }
  }
}

async function isOlder(path: string, now: Date): Promise<boolean> {
  try {
    return (await lstat(path)).mtimeMs < now.getTime() - CLAIM_WINDOW_MS;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}
