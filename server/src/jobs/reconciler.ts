import { AppError, type Digest, type Thumbprint } from '@cloister/protocol';
import type { Clock, Logger } from '@cloister/kit';
import type { LiveJob } from '../store/port.js';
import { ASK_LIMITS, chooseAsks } from './choose-asks.js';
import { decideInstance, decideJob, type JobFacts } from './decide.js';
import type { GarbageCollector } from './garbage-collector.js';
import { ownInstances, type OwnInstance } from './instances.js';
import { createJobActions, type ActionDeps } from './job-actions.js';

export interface ReconcilerDeps extends ActionDeps {
  readonly garbage: GarbageCollector;
  readonly clock: Clock;
  readonly tickMs: number;
}

export interface Reconciler {
  readonly start: () => void;
  /** Look soon: something changed. */
  readonly poke: () => void;
  /** One look at everything; what it set off may still be under way. */
  readonly tick: () => Promise<void>;
  /** Waits for what was set off. */
  readonly settle: () => Promise<void>;
  /** Why the last look was not complete; undefined where it was. */
  readonly trouble: () => string | undefined;
  readonly stop: () => Promise<void>;
}

/** Between two looks, however often the bell rings. */
const BREATH_MS = 20;

/**
 * One loop that compares what is wanted (jobs, outbox) with what is (instances), and acts on the difference. It keeps
 * nothing but what is under way, so a server that starts anew goes on where another one was killed. Slow calls run
 * beside the loop, one a job and one an instance at a time.
 */
export function createReconciler(deps: ReconcilerDeps): Reconciler {
  const { clock, logger, tickMs } = deps;
  const stopping = new AbortController();
  const underWay = createUnderWay(logger);
  const look = createLook(deps, underWay, stopping.signal);
  const bell = createBell();
  let trouble: string | undefined;
  let running: Promise<void> | undefined;
  let ticking: Promise<void> | undefined;

  const tick = async (): Promise<void> => {
    // Never two at once: a second caller gets the look that is being taken.
    ticking ??= look().then(found => {
      trouble = found;
    });
    try {
      await ticking;
    } finally {
      ticking = undefined;
    }
  };
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        await tick();
      } catch (error) {
        trouble = 'the last look failed';
        logger.error({ err: error }, 'reconciler');
      }
      await nap(BREATH_MS, false);
      await nap(tickMs, true);
    }
  };
  const nap = async (ms: number, mayBeWoken: boolean): Promise<void> => {
    const enough = new AbortController();
    const pause = clock.sleep(ms, AbortSignal.any([stopping.signal, enough.signal])).catch(() => undefined);
    await (mayBeWoken ? bell.wait(pause) : pause);
    enough.abort();
  };
  underWay.onDone(bell.ring);
  return {
    start: () => {
      running ??= loop();
    },
    poke: bell.ring,
    tick,
    settle: underWay.settle,
    trouble: () => trouble,
    stop: async () => {
      stopping.abort(new AppError('unavailable', 'the server is closing'));
      bell.ring();
      await running;
      await underWay.settle();
    }
  };
}

/** Takes one look and sets actions off; gives what could not be seen. */
function createLook(deps: ReconcilerDeps, underWay: UnderWay, signal: AbortSignal): () => Promise<string | undefined> {
  const { store, garbage, clock } = deps;
  const actions = createJobActions(deps, signal);
  const asking = new Map<Digest, Thumbprint>();
  return async () => {
    await garbage.sweep();
    await garbage.collect();
    // Instances first: whoever is in this list had its attempt recorded before the jobs are read.
    const instances = await listOwn(deps);
    const live = await store.jobs.live();
    if (instances === undefined) return 'the TEE backend does not list its instances';
    const now = clock.now();
    const machines = byJob(instances);
    const free = deps.maxParallelJobs - live.filter(({ job }) => job.attempt > 0).length;
    const due: LiveJob[] = [];
    for (const entry of live) {
      if (underWay.has(entry.job.job)) continue;
      const action = decideJob(entry.job, factsOf(entry, machines.get(entry.job.job) ?? [], free > 0), now);
      if (action.kind === 'none') continue;
      if (action.kind === 'ask_brokers') due.push(entry);
      else underWay.begin(entry.job.job, async () => actions.act(entry, action));
    }
    for (const entry of chooseAsks(due, [...asking.values()], ASK_LIMITS)) {
      const { job, analyst } = entry.job;
      asking.set(job, analyst);
      underWay.begin(job, async () => actions.act(entry, { kind: 'ask_brokers' }).finally(() => asking.delete(job)));
    }
    for (const own of instances) {
      const { name } = own.instance;
      // Its launch may still be under way: nobody else touches it before that has come back.
      if (underWay.has(name) || (own.of !== undefined && underWay.has(own.of.job))) continue;
      if (await isUnwanted(deps, own, now)) underWay.begin(name, async () => actions.removeInstance(name));
    }
    return undefined;
  };
}

async function listOwn({ backend, serverId, logger }: ReconcilerDeps): Promise<OwnInstance[] | undefined> {
  try {
    return ownInstances(await backend.list(), serverId);
  } catch (error) {
    logger.error({ err: error }, 'the TEE backend does not list its instances');
    return undefined;
  }
}

async function isUnwanted({ store }: ReconcilerDeps, { instance, of }: OwnInstance, now: Date): Promise<boolean> {
  if (of === undefined) return true;
  const job = await store.jobs.find(of.job);
  return decideInstance({ status: instance.status, attempt: of.attempt }, job, now) === 'delete';
}

function byJob(instances: readonly OwnInstance[]): ReadonlyMap<Digest, readonly OwnInstance[]> {
  const found = new Map<Digest, OwnInstance[]>();
  for (const own of instances) {
    if (own.of !== undefined) found.set(own.of.job, [...(found.get(own.of.job) ?? []), own]);
  }
  return found;
}

function factsOf({ job, work, claim }: LiveJob, mine: readonly OwnInstance[], slot: boolean): JobFacts {
  const current = mine.find(({ of }) => of?.attempt === job.attempt);
  return {
    instance: current?.instance.status ?? 'absent',
    predecessors: mine.length > (current === undefined ? 0 : 1),
    slot,
    ...(work === undefined ? {} : { work }),
    ...(claim === undefined ? {} : { claim })
  };
}

interface UnderWay {
  readonly has: (key: string) => boolean;
  readonly begin: (key: string, work: () => Promise<void>) => void;
  readonly settle: () => Promise<void>;
  /** Told after each action that succeeded. */
  readonly onDone: (listener: () => void) => void;
}

function createUnderWay(logger: Logger): UnderWay {
  const pending = new Map<string, Promise<void>>();
  let done: () => void = () => undefined;
  const run = async (key: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
      pending.delete(key);
      done();
    } catch (error) {
      // Nothing is lost: the next look sees the same difference, and comes when it is due.
      logger.warn({ err: error }, 'an action failed');
      pending.delete(key);
    }
  };
  return {
    has: key => pending.has(key),
    begin: (key, work) => {
      // On the next turn, so that the map has it before it can be over.
      pending.set(key, Promise.resolve().then(async () => run(key, work)));
    },
    settle: async () => {
      while (pending.size > 0) await Promise.all(pending.values());
    },
    onDone: listener => {
      done = listener;
    }
  };
}

interface Bell {
  readonly ring: () => void;
  /** Until the bell rings, or rang since the last wait, or the pause is over. */
  readonly wait: (pause: Promise<unknown>) => Promise<void>;
}

function createBell(): Bell {
  let rung = false;
  let wake: () => void = () => undefined;
  return {
    ring: () => {
      rung = true;
      wake();
    },
    wait: async pause => {
      const ringing = new Promise<void>(resolve => {
        wake = resolve;
        if (rung) resolve();
      });
      await Promise.race([ringing, pause]);
      rung = false;
    }
  };
}
