import { TERMINAL_STATES, type Digest, type JobState } from '@cloister/protocol';
import type { Cells, JobRecord, JobWork } from './job.js';

/** What may happen to a job. */
export type JobInput =
  | { readonly kind: 'hold'; readonly code: string }
  | { readonly kind: 'begin' }
  | { readonly kind: 'attest' }
  | { readonly kind: 'progress'; readonly state: 'attesting' | 'running' | 'sealing'; readonly cells?: Cells }
  | { readonly kind: 'publish'; readonly report: Digest; readonly outcome: Outcome }
  /** The attempt ended without a report; `again`: another attempt may do better. */
  | { readonly kind: 'end_attempt'; readonly code: string; readonly again: boolean }
  | { readonly kind: 'fail'; readonly code: string }
  | { readonly kind: 'cancel' };

export type Outcome = { readonly status: 'succeeded' } | { readonly status: 'failed'; readonly code: string };

/** The new values of a changed job. What is absent is cleared. The job's open work is replaced by `work`, or by none. */
export interface JobChange {
  readonly state: JobState;
  readonly attempt: number;
  readonly code?: string;
  readonly cells?: Cells;
  readonly report?: Digest;
  readonly work?: JobWork;
}

const RANK: Readonly<Record<JobState, number>> = {
  queued: 0,
  waiting: 1,
  launching: 2,
  attesting: 3,
  running: 4,
  sealing: 5,
  succeeded: 6,
  failed: 6,
  cancelled: 6,
  lost: 6
};

/** (attempt, rank of state), which no change lowers. */
export function isForward(from: Pick<JobRecord, 'state' | 'attempt'>, to: Pick<JobRecord, 'state' | 'attempt'>): boolean {
  if (TERMINAL_STATES.has(from.state)) return false;
  return to.attempt > from.attempt || (to.attempt === from.attempt && RANK[to.state] >= RANK[from.state]);
}

/**
 * What an input makes of a job, or undefined where the job does not take it (any more). Pure: the one place that
 * knows the order of states.
 */
export function transition(job: JobRecord, input: JobInput, now: Date): JobChange | undefined {
  const change = TERMINAL_STATES.has(job.state) ? undefined : changeOf(job, input, now);
  return change !== undefined && isForward(job, change) ? change : undefined;
}

function changeOf(job: JobRecord, input: JobInput, now: Date): JobChange | undefined {
  switch (input.kind) {
    case 'hold':
      return job.attempt === 0 ? { state: 'waiting', attempt: 0, code: input.code, work: soon('start', now) } : undefined;
    case 'begin':
      return job.attempt === 0 ? { state: 'launching', attempt: 1, work: soon('launch', now) } : undefined;
    case 'attest':
      return job.state === 'launching' ? { state: 'attesting', attempt: job.attempt } : undefined;
    case 'progress':
      return progressOf(job, input);
    case 'publish':
      return isAdmittedState(job.state) ? publishedOf(job, input.report, input.outcome) : undefined;
    case 'end_attempt':
      return job.attempt === 0 ? undefined : endedOf(job, input, now);
    case 'fail':
      return { ...kept(job), state: 'failed', code: input.code };
    case 'cancel':
      return { ...kept(job), state: 'cancelled', code: 'cancelled' };
  }
}

/** Counts never shrink within an attempt, and a late word of an earlier state is no news. */
function progressOf(job: JobRecord, input: { readonly state: JobState; readonly cells?: Cells }): JobChange | undefined {
  if (job.state === 'queued' || job.state === 'waiting' || RANK[input.state] < RANK[job.state]) return undefined;
  const grown = input.cells !== undefined && input.cells.done >= (job.cells?.done ?? 0) ? input.cells : job.cells;
  const same = input.state === job.state && grown?.done === job.cells?.done && grown?.total === job.cells?.total;
  if (same) return undefined;
  return { state: input.state, attempt: job.attempt, ...(grown === undefined ? {} : { cells: grown }) };
}

function publishedOf(job: JobRecord, report: Digest, outcome: Outcome): JobChange {
  return { ...kept(job), state: outcome.status, report, ...(outcome.status === 'failed' ? { code: outcome.code } : {}) };
}

/** Another attempt where it may help and the manifest still allows one; else an end. */
function endedOf(job: JobRecord, input: { readonly code: string; readonly again: boolean }, now: Date): JobChange {
  if (input.again && job.attempt < job.maxAttempts && now < job.notAfter) {
    const pause = Math.min(60_000, 500 * 2 ** job.attempt);
    return { state: 'launching', attempt: job.attempt + 1, code: input.code, work: { ...soon('launch', now), notBefore: new Date(now.getTime() + pause) } };
  }
  return { ...kept(job), state: input.code === 'runner_lost' ? 'lost' : 'failed', code: input.code };
}

function isAdmittedState(state: JobState): boolean {
  return state === 'attesting' || state === 'running' || state === 'sealing';
}

function kept(job: JobRecord): Pick<JobChange, 'attempt' | 'cells'> {
  return { attempt: job.attempt, ...(job.cells === undefined ? {} : { cells: job.cells }) };
}

function soon(kind: JobWork['kind'], now: Date): JobWork {
  return { kind, notBefore: now, tries: 0 };
}

export function isEnded(job: Pick<JobRecord, 'state'>): boolean {
  return TERMINAL_STATES.has(job.state);
}
