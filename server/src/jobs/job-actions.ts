import { AppError, ERRORS, isErrorCode, type Digest } from '@cloister/protocol';
import type { Clock, Logger } from '@cloister/kit';
import { instanceName, type Instance, type TeeBackend } from '../backends/port.js';
import type { LiveJob, ServerStore } from '../store/port.js';
import type { BrokerChecks } from './broker-checks.js';
import type { JobChanges } from './change-job.js';
import type { JobAction } from './decide.js';
import { launchRequestOf, ownInstances } from './instances.js';
import type { JobRecord, JobWork } from './job.js';

const MAX_LAUNCH_TRIES = 5;
const MAX_PAUSE_MS = 60_000;

export interface ActionDeps {
  readonly store: ServerStore;
  readonly backend: TeeBackend;
  readonly brokers: BrokerChecks;
  readonly changes: JobChanges;
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Logger;
  /** Jobs that may have an instance at the same time. */
  readonly maxParallelJobs: number;
  /** What this server's instances are labelled with. */
  readonly serverId: string;
  /** Environment of a runner; the same for the same attempt. */
  readonly runnerEnv: (job: Digest, attempt: number) => Readonly<Record<string, string>>;
}

/** What the reconciler does. Each action may be repeated, and may be cut off between any two of its steps. */
export interface JobActions {
  readonly act: (entry: LiveJob, action: JobAction) => Promise<void>;
  readonly removeInstance: (name: string) => Promise<void>;
}

export function createJobActions(deps: ActionDeps, signal: AbortSignal): JobActions {
  const { store, backend, changes, logger } = deps;
  const context = { ...deps, signal, inTurn: createTurns() };
  return {
    act: async (entry, action) => {
      const { job } = entry;
      switch (action.kind) {
        case 'none':
          return;
        case 'ask_brokers':
          await askBrokers(context, entry);
          return;
        case 'launch':
          await launch(context, entry);
          return;
        case 'adopt':
          await store.jobs.recordLaunched(job.job, job.attempt);
          return;
        case 'attest':
          await changes.tryOnce(job, { kind: 'attest' });
          return;
        case 'end_attempt':
          await endAttempt(context, job, action.code);
          return;
        case 'fail':
          logger.info({ job: job.job, code: action.code }, 'job failed');
          await changes.tryOnce(job, { kind: 'fail', code: action.code });
      }
    },
    removeInstance: async name => {
      logger.info({ instance: name }, 'instance is removed');
      await backend.delete(name);
    }
  };
}

interface ActionContext extends ActionDeps {
  readonly signal: AbortSignal;
  readonly inTurn: Turns;
}

type Turns = (work: () => Promise<void>) => Promise<void>;

/** Runs one after another, whatever becomes of the one before. */
function createTurns(): Turns {
  let last = Promise.resolve();
  return async work => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    await mine;
  };
}

/**
 * More jobs are asked for than may run, so each counts anew once the brokers allowed it. One that finds no room stays
 * as it is, and is asked for again when there is some.
 */
async function beginWhereFree({ store, changes, maxParallelJobs, inTurn }: ActionContext, job: JobRecord): Promise<void> {
  await inTurn(async () => {
    const running = (await store.jobs.live()).filter(live => live.job.attempt > 0).length;
    if (running < maxParallelJobs) await changes.tryOnce(job, { kind: 'begin' });
  });
}

async function askBrokers(context: ActionContext, { job, work }: LiveJob): Promise<void> {
  const { store, brokers, changes, clock, signal } = context;
  const manifest = await store.jobs.manifest(job.job);
  if (manifest === undefined) return;
  const answer = await brokers.ask(manifest, signal);
  const tries = (work?.tries ?? 0) + 1;
  const later = (atLeastMs: number): JobWork => ({ kind: 'start', tries, notBefore: new Date(clock.now().getTime() + Math.max(atLeastMs, pauseMs(tries))) });
  switch (answer.kind) {
    case 'allow':
      await beginWhereFree(context, job);
      return;
    case 'deny':
      await changes.tryOnce(job, { kind: 'fail', code: answer.code });
      return;
    case 'wait':
      if (job.state === 'queued') await changes.tryOnce(job, { kind: 'hold', code: 'approval_missing' });
      await store.jobs.postpone(job.job, later(0));
      return;
    case 'unanswered':
      await store.jobs.postpone(job.job, later(answer.retryAfterMs));
  }
}

async function launch(context: ActionContext, { job, work }: LiveJob): Promise<void> {
  const { store, changes, clock, logger, signal } = context;
  let instance: Instance;
  try {
    instance = await launchOrFind(context, job);
  } catch (error) {
    if (signal.aborted) return;
    const tries = (work?.tries ?? 0) + 1;
    logger.warn({ job: job.job, attempt: job.attempt, tries, err: error }, 'launch failed');
    if (tries >= MAX_LAUNCH_TRIES) await changes.tryOnce(job, { kind: 'end_attempt', code: 'launch_failed', again: true });
    else await store.jobs.postpone(job.job, { kind: 'launch', tries, notBefore: new Date(clock.now().getTime() + pauseMs(tries)) });
    return;
  }
  logger.info({ job: job.job, attempt: job.attempt, instance: instance.name }, 'launched');
  await store.jobs.recordLaunched(job.job, job.attempt);
  if (instance.status === 'running') await changes.tryOnce(job, { kind: 'attest' });
}

/** An instance of this very attempt that is there already is ours, also where it differs from what we ask for now. */
async function launchOrFind({ store, backend, serverId, runnerEnv, signal }: ActionContext, job: JobRecord): Promise<Instance> {
  const attempt = await store.attempts.find(job.job, job.attempt);
  if (attempt === undefined) throw new AppError('internal', 'an attempt without a record');
  try {
    return await backend.launch(launchRequestOf(attempt, serverId, runnerEnv(job.job, job.attempt)), signal);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'already_exists') throw error;
    const found = await backend.get(instanceName(job.job, job.attempt));
    const [own] = found === undefined ? [] : ownInstances([found], serverId);
    if (own?.of?.job !== job.job) throw error;
    return own.instance;
  }
}

/** The list may have been made before the launch came back, so an instance that seems to be gone is asked for by name. */
async function endAttempt({ backend, changes, logger }: ActionContext, job: JobRecord, code: string): Promise<void> {
  const instance = await backend.get(instanceName(job.job, job.attempt));
  if (instance !== undefined && instance.status !== 'terminated') return;
  logger.warn({ job: job.job, attempt: job.attempt, code, exitCode: instance?.exitCode }, 'the attempt ended without a report');
  await changes.tryOnce(job, { kind: 'end_attempt', code, again: isErrorCode(code) && ERRORS[code].retry });
}

function pauseMs(tries: number): number {
  return Math.min(MAX_PAUSE_MS, 500 * 2 ** Math.min(tries, 10));
}
