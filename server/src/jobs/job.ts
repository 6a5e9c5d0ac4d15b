import type { CompactJws, Digest, JobState, Thumbprint, UuidV7 } from '@cloister/protocol';

/**
 * A job as the server keeps it. The manifest stays beside it in the store: it is large, and the reconciler looks at
 * every live job.
 */
export interface JobRecord {
  readonly job: Digest;
  readonly id: UuidV7;
  readonly analyst: Thumbprint;
  /** Digest of the sealed bundle. */
  readonly bundle: Digest;
  readonly notAfter: Date;
  readonly maxAttempts: number;
  readonly state: JobState;
  /** 0 before the first launch; then the fencing number. */
  readonly attempt: number;
  /** Grows by one with every change. */
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Why it ended, or what it waits for. */
  readonly code?: string;
  readonly cells?: Cells;
  /** The pointer: digest of the report of `attempt`. */
  readonly report?: Digest;
}

export interface Cells {
  readonly done: number;
  readonly total: number;
}

/** What every change is compared with. */
export type JobVersion = Pick<JobRecord, 'job' | 'state' | 'attempt' | 'version'>;

/** One try at a job. Everything that a launch needs is fixed here, so that launching twice asks for the same thing. */
export interface AttemptRecord {
  readonly job: Digest;
  readonly attempt: number;
  readonly requestId: string;
  readonly maxRunSeconds: number;
  readonly createdAt: Date;
  /** Thumbprint of the key that the attested session named; bound once. */
  readonly key?: Thumbprint;
  /** Image that the admission's token named. */
  readonly image?: Digest;
  /** What a runner that was not admitted said when it gave up. Believed only once its instance has ended. */
  readonly claim?: FailureClaim;
}

export interface FailureClaim {
  readonly code: string;
  readonly denials: readonly CompactJws[];
}

/** Outbox row: something outside the database that is still to be done for a job. At most one a job. */
export interface JobWork {
  /** `start`: ask the brokers, then begin the first attempt. `launch`: have the current attempt's instance. */
  readonly kind: 'start' | 'launch';
  readonly notBefore: Date;
  /** Tries that failed, which the pause grows with. */
  readonly tries: number;
}
