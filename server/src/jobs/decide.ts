import type { JobState } from '@cloister/protocol';
import type { InstanceStatus } from '../backends/port.js';
import type { FailureClaim, JobRecord, JobWork } from './job.js';

/** What is known of a job's surroundings when it is looked at. */
export interface JobFacts {
  /** The current attempt's instance, as the backend lists it. */
  readonly instance: InstanceStatus | 'absent';
  /** Instances of earlier attempts still exist: nothing is launched beside them. */
  readonly predecessors: boolean;
  /** The outbox row, where there is one. */
  readonly work?: JobWork;
  readonly claim?: FailureClaim;
  /** Another job may be started now. */
  readonly slot: boolean;
}

export type JobAction =
  | { readonly kind: 'none' }
  /** Ask the brokers whether they would release; then begin, hold or fail. */
  | { readonly kind: 'ask_brokers' }
  /** Call the backend; what it is asked for was recorded before. */
  | { readonly kind: 'launch' }
  /** The instance exists, though nobody recorded that the launch came back. */
  | { readonly kind: 'adopt' }
  /** The instance runs: the job is attesting. */
  | { readonly kind: 'attest' }
  | { readonly kind: 'end_attempt'; readonly code: string }
  | { readonly kind: 'fail'; readonly code: string };

const NONE: JobAction = { kind: 'none' };

/**
 * Level-triggered: looks at what is, not at what happened, so that a lost message or a crash changes nothing but the
 * time. Pure.
 */
export function decideJob(job: JobRecord, facts: JobFacts, now: Date): JobAction {
  const expired = now >= job.notAfter;
  switch (job.state) {
    case 'queued':
    case 'waiting':
      if (expired) return { kind: 'fail', code: 'manifest_expired' };
      return facts.slot && isDue(facts.work, now) ? { kind: 'ask_brokers' } : NONE;
    case 'launching':
    case 'attesting':
      // Brokers release nothing after notAfter, so an attempt that has no keys yet cannot end well.
      return expired ? { kind: 'fail', code: 'manifest_expired' } : decideLaunch(job.state, facts, now);
    case 'running':
    case 'sealing':
      return isGone(facts) ? { kind: 'end_attempt', code: facts.claim?.code ?? 'runner_lost' } : NONE;
    case 'succeeded':
    case 'failed':
    case 'cancelled':
    case 'lost':
      return NONE;
  }
}

function decideLaunch(state: 'launching' | 'attesting', facts: JobFacts, now: Date): JobAction {
  const wanted = facts.work?.kind === 'launch';
  switch (facts.instance) {
    case 'absent':
      if (!wanted) return { kind: 'end_attempt', code: facts.claim?.code ?? 'runner_lost' };
      return !facts.predecessors && isDue(facts.work, now) ? { kind: 'launch' } : NONE;
    case 'starting':
      return wanted ? { kind: 'adopt' } : NONE;
    case 'running':
      return state === 'launching' ? { kind: 'attest' } : NONE;
    case 'terminated':
      return { kind: 'end_attempt', code: facts.claim?.code ?? 'runner_lost' };
  }
}

function isGone(facts: JobFacts): boolean {
  return facts.instance === 'absent' || facts.instance === 'terminated';
}

function isDue(work: JobWork | undefined, now: Date): boolean {
  return work === undefined || now >= work.notBefore;
}

/** How long a runner whose job has ended may take to tidy up. */
export const TIDY_MS = 10_000;

/**
 * Whether an instance of ours may stay: only as the current attempt of a live job, or for a moment after its report
 * was published. An instance without a job is deleted.
 */
export function decideInstance(
  instance: { readonly status: InstanceStatus; readonly attempt: number },
  job: { readonly state: JobState; readonly attempt: number; readonly updatedAt: Date } | undefined,
  now: Date
): 'keep' | 'delete' {
  if (job === undefined || instance.attempt !== job.attempt) return 'delete';
  switch (job.state) {
    case 'launching':
    case 'attesting':
    case 'running':
    case 'sealing':
      return 'keep';
    case 'succeeded':
    case 'failed':
      return instance.status !== 'terminated' && now.getTime() < job.updatedAt.getTime() + TIDY_MS ? 'keep' : 'delete';
    case 'queued':
    case 'waiting':
    case 'cancelled':
    case 'lost':
      return 'delete';
  }
}
