import type { Digest } from '@cloister/protocol';
import { sql, type Kysely, type RawBuilder, type SqlBool, type Transaction } from 'kysely';
import type { JobRecord, JobWork } from '../../jobs/job.js';
import { JOB_COLUMNS, jobOf } from './rows.js';
import type { Tables } from './tables.js';

/** Literally the condition of the index jobs_live: with parameters in it SQLite could not tell that the index fits. */
export const IS_LIVE: RawBuilder<SqlBool> = sql`jobs.state IN ('queued', 'waiting', 'launching', 'attesting', 'running', 'sealing')`;

export async function findJob(db: Kysely<Tables>, job: Digest): Promise<JobRecord | undefined> {
  const row = await db.selectFrom('jobs').select(JOB_COLUMNS).where('job', '=', job).executeTakeFirst();
  return row === undefined ? undefined : jobOf(row);
}

export async function insertWork(trx: Transaction<Tables>, job: Digest, work: JobWork): Promise<void> {
  await trx.insertInto('outbox').values({ kind: work.kind, job, not_before: work.notBefore.getTime(), tries: work.tries }).execute();
}

export async function insertEvent(trx: Transaction<Tables>, job: JobRecord): Promise<void> {
  await trx
    .insertInto('events')
    .values({
      analyst: job.analyst,
      job: job.job,
      state: job.state,
      attempt: job.attempt,
      version: job.version,
      time: job.updatedAt.getTime(),
      code: job.code ?? null,
      cells_done: job.cells?.done ?? null,
      cells_total: job.cells?.total ?? null
    })
    .execute();
}
