import { AppError, toTime, type Digest } from '@cloister/protocol';
import type { BackendCapabilities, Instance, LaunchRequest, TeeBackend } from '../backends/port.js';

interface Machine {
  readonly request: LaunchRequest;
  instance: Instance;
}

/** Machines that outlive servers, for tests of what servers do about them. Keeps the port's promises. */
export class FakeCloud {
  readonly kind = 'fake';
  readonly machines = new Map<string, Machine>();
  /** Every machine that was ever made, by name, in order. */
  readonly made: string[] = [];
  /** The most machines of one job that ever ran at once. */
  mostAtOnce = 0;
  readonly removed: string[] = [];
  /** While it is set, launches fail with it. */
  launchError: AppError | undefined;
  listError: Error | undefined;
  private readonly image: Digest;
  private readonly now: () => Date;

  constructor(image: Digest, now: () => Date) {
    this.image = image;
    this.now = now;
  }

  backend(): TeeBackend {
    return {
      kind: this.kind,
      launch: async (request, signal) => this.launch(request, signal),
      get: async name => this.machines.get(name)?.instance,
      list: async () => {
        if (this.listError !== undefined) throw this.listError;
        return [...this.machines.values()].map(machine => machine.instance);
      },
      delete: async name => {
        this.removed.push(name);
        this.machines.delete(name);
      },
      capabilities: (): BackendCapabilities => ({ hardware: ['SIMULATED'], tokenTypes: ['OIDC', 'PKI'], simulated: true, maxRunSeconds: 3600 })
    };
  }

  /** Machines boot. */
  boot(): void {
    for (const machine of this.machines.values()) {
      if (machine.instance.status === 'starting') machine.instance = { ...machine.instance, status: 'running', imageDigest: this.image };
    }
  }

  end(name: string, exitCode: number): void {
    const machine = this.machines.get(name);
    if (machine !== undefined) machine.instance = { ...machine.instance, status: 'terminated', exitCode };
  }

  private launch(request: LaunchRequest, signal: AbortSignal): Instance {
    signal.throwIfAborted();
    if (this.launchError !== undefined) throw this.launchError;
    const existing = this.machines.get(request.name);
    if (existing !== undefined) {
      if (JSON.stringify(existing.request) !== JSON.stringify(request)) throw new AppError('already_exists', 'another launch has this name');
      return existing.instance;
    }
    const instance: Instance = { name: request.name, labels: request.labels, status: 'starting', launchedAt: toTime(this.now()) };
    this.machines.set(request.name, { request, instance });
    this.made.push(request.name);
    const alive = [...this.machines.values()].filter(machine => machine.request.job === request.job && machine.instance.status !== 'terminated');
    this.mostAtOnce = Math.max(this.mostAtOnce, alive.length);
    return instance;
  }
}
