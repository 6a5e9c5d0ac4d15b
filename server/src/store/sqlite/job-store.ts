import type { Digest, Thumbprint } from '@cloister/protocol';
import { sql, type Kysely, type Transaction } from 'kysely';
import type { AttemptRecord, JobRecord, JobVersion } from '../../jobs/job.js';
import type { JobChange } from '../../jobs/transitions.js';
import type { JobPage, JobStore, LiveJob } from '../port.js';
import { IS_LIVE, findJob, insertEvent, insertWork } from './job-rows.js';
import { JOB_COLUMNS, claimOf, jobOf } from './rows.js';
import { submitJob } from './submit-job.js';
import type { Tables } from './tables.js';

/** `committed` is told after every transaction that wrote an event. */
export function createSqliteJobStore(db: Kysely<Tables>, committed: (analyst: Thumbprint) => void): JobStore {
  return {
    submit: async submission => {
      const result = await db.transaction().execute(async trx => submitJob(trx, submission));
      if (result.kind === 'created') committed(submission.job.analyst);
      return result;
    },
    find: async job => findJob(db, job),
    manifest: async job => (await db.selectFrom('jobs').select('manifest').where('job', '=', job).executeTakeFirst())?.manifest,
    list: async page => listJobs(db, page),
    live: async () => liveJobs(db),
    change: async (from, to, { now, begun }) => {
      const changed = await db.transaction().execute(async trx => changeJob(trx, { from, to, now, begun }));
      if (changed !== undefined) committed(changed.analyst);
      return changed;
    },
    postpone: async (job, work) => {
      await db
        .updateTable('outbox')
        .set({ not_before: work.notBefore.getTime(), tries: work.tries })
        .where('job', '=', job)
        .where('kind', '=', work.kind)
        .execute();
    },
    recordLaunched: async (job, attempt) => {
      const current = db.selectFrom('jobs').select('job').where('job', '=', job).where('attempt', '=', attempt);
      await db.deleteFrom('outbox').where('kind', '=', 'launch').where('job', 'in', current).execute();
    },
    remove: async job => db.transaction().execute(async trx => removeJob(trx, job))
  };
}

async function listJobs(db: Kysely<Tables>, { analyst, state, after, limit }: JobPage): Promise<JobRecord[]> {
  let query = db.selectFrom('jobs').select(JOB_COLUMNS).where('analyst', '=', analyst);
  if (state !== undefined) query = query.where('state', '=', state);
  // Row values, so that SQLite seeks in the index instead of counting rows.
  if (after !== undefined) query = query.where(sql<boolean>`(created_at, job) < (${after.createdAt}, ${after.job})`);
  const rows = await query.orderBy('created_at', 'desc').orderBy('job', 'desc').limit(limit).execute();
  return rows.map(jobOf);
}

async function liveJobs(db: Kysely<Tables>): Promise<LiveJob[]> {
  const rows = await db
    .selectFrom('jobs')
    .leftJoin('outbox', 'outbox.job', 'jobs.job')
    .leftJoin('attempts', join => join.onRef('attempts.job', '=', 'jobs.job').onRef('attempts.attempt', '=', 'jobs.attempt'))
    .select(JOB_COLUMNS)
    .select(['outbox.kind', 'outbox.not_before', 'outbox.tries', 'attempts.claim_code', 'attempts.claim_denials'])
    .where(IS_LIVE)
    .orderBy('jobs.created_at')
    .orderBy('jobs.job')
    .execute();
  return rows.map(row => {
    const { kind, not_before: notBefore, tries } = row;
    const claim = claimOf(row);
    return {
      job: jobOf(row),
      ...(kind === null || notBefore === null || tries === null ? {} : { work: { kind, notBefore: new Date(notBefore), tries } }),
      ...(claim === undefined ? {} : { claim })
    };
  });
}

interface Change {
  readonly from: JobVersion;
  readonly to: JobChange;
  readonly now: Date;
  readonly begun: AttemptRecord | undefined;
}

async function changeJob(trx: Transaction<Tables>, { from, to, now, begun }: Change): Promise<JobRecord | undefined> {
  const row = await trx
    .updateTable('jobs')
    .set({
      state: to.state,
      attempt: to.attempt,
      version: from.version + 1,
      updated_at: now.getTime(),
      code: to.code ?? null,
      cells_done: to.cells?.done ?? null,
      cells_total: to.cells?.total ?? null,
      report: to.report ?? null
    })
    .where('job', '=', from.job)
    .where('state', '=', from.state)
    .where('attempt', '=', from.attempt)
    .where('version', '=', from.version)
    .returning(JOB_COLUMNS)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  await trx.deleteFrom('outbox').where('job', '=', from.job).execute();
  if (to.work !== undefined) await insertWork(trx, from.job, to.work);
  if (begun !== undefined) await insertAttempt(trx, begun);
  const job = jobOf(row);
  await insertEvent(trx, job);
  return job;
}

async function insertAttempt(trx: Transaction<Tables>, begun: AttemptRecord): Promise<void> {
  await trx
    .insertInto('attempts')
    .values({
      job: begun.job,
      attempt: begun.attempt,
      request_id: begun.requestId,
      max_run_seconds: begun.maxRunSeconds,
      created_at: begun.createdAt.getTime(),
      key: null,
      image: null,
      claim_code: null,
      claim_denials: null
    })
    .execute();
}

async function removeJob(trx: Transaction<Tables>, job: Digest): Promise<boolean> {
  const row = await trx
    .deleteFrom('jobs')
    .where('job', '=', job)
    .where(eb => eb.not(IS_LIVE))
    .returning('bundle')
    .executeTakeFirst();
  if (row === undefined) return false;
  await trx.insertInto('garbage').values({ kind: 'job', digest: job }).onConflict(conflict => conflict.doNothing()).execute();
  const others = await trx.selectFrom('jobs').select('job').where('bundle', '=', row.bundle).limit(1).execute();
  if (others.length > 0) return true;
  await trx.deleteFrom('files').where('kind', '=', 'bundle').where('digest', '=', row.bundle).execute();
  await trx.insertInto('garbage').values({ kind: 'bundle', digest: row.bundle }).onConflict(conflict => conflict.doNothing()).execute();
  return true;
}
