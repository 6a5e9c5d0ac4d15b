import { CompactJws, toTime, type JobEvent } from '@cloister/protocol';
import * as z from 'zod/mini';
import type { AttemptRecord, Cells, FailureClaim, JobRecord } from '../../jobs/job.js';
import type { AttemptRow, EventRow, JobRow } from './tables.js';

/** All columns of a job but its manifest, which is large. */
export const JOB_COLUMNS = [
  'jobs.job', 'jobs.id', 'jobs.analyst', 'jobs.bundle', 'jobs.not_after', 'jobs.max_attempts', 'jobs.state', 'jobs.attempt', 'jobs.version',
  'jobs.created_at', 'jobs.updated_at', 'jobs.code', 'jobs.cells_done', 'jobs.cells_total', 'jobs.report'
] as const;

export function jobOf(row: JobRow): JobRecord {
  return {
    job: row.job,
    id: row.id,
    analyst: row.analyst,
    bundle: row.bundle,
    notAfter: new Date(row.not_after),
    maxAttempts: row.max_attempts,
    state: row.state,
    attempt: row.attempt,
    version: row.version,
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
    ...(row.code === null ? {} : { code: row.code }),
    ...(row.report === null ? {} : { report: row.report }),
    ...cellsOf(row)
  };
}

export function eventOf(row: EventRow): JobEvent {
  const { seq, job, state, attempt, version, time, code } = row;
  return { seq, job, state, attempt, version, time: toTime(new Date(time)), ...(code === null ? {} : { code }), ...cellsOf(row) };
}

export function attemptOf(row: AttemptRow): AttemptRecord {
  const claim = claimOf(row);
  return {
    job: row.job,
    attempt: row.attempt,
    requestId: row.request_id,
    maxRunSeconds: row.max_run_seconds,
    createdAt: new Date(row.created_at),
    ...(row.key === null ? {} : { key: row.key }),
    ...(row.image === null ? {} : { image: row.image }),
    ...(claim === undefined ? {} : { claim })
  };
}

const Denials = z.array(CompactJws);

export function claimOf(row: { readonly claim_code: string | null; readonly claim_denials: string | null }): FailureClaim | undefined {
  if (row.claim_code === null) return undefined;
  return { code: row.claim_code, denials: Denials.parse(JSON.parse(row.claim_denials ?? '[]')) };
}

function cellsOf(row: { readonly cells_done: number | null; readonly cells_total: number | null }): { cells?: Cells } {
  return row.cells_done === null || row.cells_total === null ? {} : { cells: { done: row.cells_done, total: row.cells_total } };
}
