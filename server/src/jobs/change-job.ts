import { randomUUID } from 'node:crypto';
import { AppError, type Digest } from '@cloister/protocol';
import type { Clock } from '@cloister/kit';
import type { JobStore } from '../store/port.js';
import type { AttemptRecord, JobRecord } from './job.js';
import { transition, type JobInput } from './transitions.js';

const TRIES = 10;

export interface JobChangeDeps {
  readonly jobs: JobStore;
  readonly clock: Pick<Clock, 'now'>;
  /** After so many seconds an instance ends by itself. */
  readonly maxRunSeconds: number;
}

export interface JobTarget {
  readonly job: Digest;
  /** Fences: what is meant for one attempt is not applied to another. */
  readonly attempt?: number;
}

/** The one way to change a job. */
export interface JobChanges {
  /** Applies an input to the job as it was read, or gives undefined where it does not fit or somebody was faster. */
  readonly tryOnce: (job: JobRecord, input: JobInput) => Promise<JobRecord | undefined>;
  /**
   * Applies an input to whatever the job is now, again where somebody was faster. Undefined: the job does not take it.
   * @throws AppError not_found | state_conflict
   */
  readonly apply: (target: JobTarget, input: JobInput) => Promise<JobRecord | undefined>;
}

export function createJobChanges({ jobs, clock, maxRunSeconds }: JobChangeDeps): JobChanges {
  const commit = async (job: JobRecord, input: JobInput): Promise<JobRecord | 'refused' | 'outrun'> => {
    const now = clock.now();
    const to = transition(job, input, now);
    if (to === undefined) return 'refused';
    const begins = to.attempt > job.attempt;
    const begun = { job: job.job, attempt: to.attempt, requestId: randomUUID(), maxRunSeconds, createdAt: now } satisfies AttemptRecord;
    return (await jobs.change(job, to, { now, ...(begins ? { begun } : {}) })) ?? 'outrun';
  };
  return {
    tryOnce: async (job, input) => {
      const result = await commit(job, input);
      return typeof result === 'string' ? undefined : result;
    },
    apply: async (target, input) => {
      for (let tries = 0; tries < TRIES; tries += 1) {
        const job = await jobs.find(target.job);
        if (job === undefined) throw new AppError('not_found', 'no such job');
        if (target.attempt !== undefined && target.attempt !== job.attempt) return undefined;
        const result = await commit(job, input);
        if (result === 'refused') return undefined;
        if (result !== 'outrun') return result;
      }
      throw new AppError('state_conflict', 'the job keeps changing');
    }
  };
}
