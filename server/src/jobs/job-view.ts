import { toTime, type CompactJws, type JobView } from '@cloister/protocol';
import type { StoredSubject } from '../store/port.js';
import type { JobRecord } from './job.js';

export interface JobDetails {
  readonly outputs?: readonly StoredSubject[];
  readonly denials?: readonly CompactJws[];
}

/** A job as its analyst sees it. */
export function viewOf(job: JobRecord, { outputs, denials }: JobDetails = {}): JobView {
  return {
    job: job.job,
    id: job.id,
    state: job.state,
    attempt: job.attempt,
    version: job.version,
    createdAt: toTime(job.createdAt),
    updatedAt: toTime(job.updatedAt),
    ...(job.code === undefined ? {} : { code: job.code }),
    ...(job.cells === undefined ? {} : { cells: job.cells }),
    ...(job.report === undefined ? {} : { report: job.report }),
    ...(outputs === undefined || job.report === undefined ? {} : { outputs: [...outputs] }),
    ...(denials === undefined || denials.length === 0 ? {} : { denials: [...denials] })
  };
}
