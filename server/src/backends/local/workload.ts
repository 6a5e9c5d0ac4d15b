import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { once } from 'node:events';
import { join } from 'node:path';
import type { ImageLabels } from './measure.js';
import type { InstanceDirectory, LaunchFile } from './instance-store.js';
import { kill } from './processes.js';

const MAX_LOG_BYTES = 1 << 20;

export interface WorkloadPaths {
  readonly socket: string;
  /** Short private directory for the workload's own sockets and small temporary files. */
  readonly temporary: string;
}

/** What runs in the simulated container: the image's entrypoint, and all that it starts. */
export class Workload {
  private readonly child: ChildProcess;
  private readonly ended: Promise<number>;

  private constructor(child: ChildProcess) {
    this.child = child;
    this.ended = new Promise(resolve => {
      child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']));
    });
  }

  static async start(directory: InstanceDirectory, launch: LaunchFile, labels: ImageLabels, paths: WorkloadPaths): Promise<Workload> {
    const [command = '', ...args] = labels.entrypoint;
    const child = spawn(command === 'node' ? launch.nodePath : command, args, {
      cwd: launch.imageDir,
      // Ours come last: neither the operator nor the request can point the workload at another socket.
      env: {
        PATH: '/usr/local/bin:/usr/bin:/bin',
        HOME: directory.scratch,
        LANG: 'C.UTF-8',
        TMPDIR: paths.temporary,
        ...launch.extraEnv,
        ...containerEnv(launch),
        CLOISTER_TEE_SOCKET: paths.socket,
        CLOISTER_SCRATCH: directory.scratch
      },
      // A group of its own, so that the launcher can end the group and live.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe']
    });
    const log = createWriteStream(directory.workloadLog, { flags: 'a', mode: 0o600 });
    const room = { bytes: MAX_LOG_BYTES };
    for (const source of [child.stdout, child.stderr]) copyCapped(source, log, room);
    child.once('close', () => log.end());
    log.on('error', () => undefined);
    const workload = new Workload(child);
    // Rejects where the entrypoint cannot be executed at all.
    await once(child, 'spawn');
    child.on('error', () => undefined);
    return workload;
  }

  /** Exit code; 128 + n where signal n ended it. */
  wait(): Promise<number> {
    return this.ended;
  }

  /** Ends the group, politely first; resolves when the entrypoint has ended. */
  async stop(graceMs: number): Promise<number> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.signalGroup('SIGTERM');
    const timer = setTimeout(() => this.signalGroup('SIGKILL'), graceMs);
    try {
      return await this.ended;
    } finally {
      clearTimeout(timer);
    }
  }

  /** To be called when the entrypoint has ended: what it left in its group ends. What left the group is not found here. */
  reapGroup(): void {
    this.signalGroup('SIGKILL');
  }

  private signalGroup(name: NodeJS.Signals): void {
    // The kernel does not reuse the number of a group that has members; of an empty one this finds nobody.
    if (this.child.pid !== undefined) kill(-this.child.pid, name);
  }
}

/** The part of the environment that tokens show: the container's name, and what the launch request set. */
export function containerEnv({ request }: LaunchFile): Record<string, string> {
  return { ...request.env, HOSTNAME: request.name };
}

export function workloadPaths(runDir: string): WorkloadPaths {
  return { socket: join(runDir, 'tee.sock'), temporary: join(runDir, 't') };
}

/** Reads on after the cap, so that a talkative workload neither blocks nor fills the disk. */
function copyCapped(source: Readable, log: NodeJS.WritableStream, room: { bytes: number }): void {
  source.on('data', (chunk: Buffer) => {
    if (room.bytes === 0) return;
    const part = chunk.subarray(0, room.bytes);
    room.bytes -= part.length;
    log.write(part);
    if (room.bytes === 0) log.write('\n[cut at 1 MiB]\n');
  });
  source.on('error', () => undefined);
}
