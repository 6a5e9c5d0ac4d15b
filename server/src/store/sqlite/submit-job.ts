import type { Transaction } from 'kysely';
import { instanceName } from '../../backends/port.js';
import type { JobRecord } from '../../jobs/job.js';
import type { Submission, SubmitResult } from '../port.js';
import { IS_LIVE, findJob, insertEvent, insertWork } from './job-rows.js';
import type { Tables } from './tables.js';

/**
 * The same manifest is the same job, with or without an Idempotency-Key; a key that came with another body is a
 * conflict. Nothing is written unless all of it is.
 */
export async function submitJob(trx: Transaction<Tables>, submission: Submission): Promise<SubmitResult> {
  const { job, idempotency } = submission;
  if (idempotency !== undefined) {
    const known = await findKey(trx, submission, idempotency.key);
    if (known !== undefined && known.body !== idempotency.bodyDigest) return { kind: 'conflict' };
  }
  const existing = await findJob(trx, job.job);
  const refusal = existing === undefined ? await refusalOf(trx, submission) : undefined;
  if (refusal !== undefined) return refusal;
  const stored = existing ?? (await insertJob(trx, submission));
  if (idempotency !== undefined) {
    await trx
      .insertInto('idempotency')
      .values({ analyst: job.analyst, key: idempotency.key, body: idempotency.bodyDigest, job: job.job })
      .onConflict(conflict => conflict.doNothing())
      .execute();
  }
  return { kind: existing === undefined ? 'created' : 'same', job: stored };
}

async function findKey(trx: Transaction<Tables>, { job }: Submission, key: string): Promise<{ body: string } | undefined> {
  return trx.selectFrom('idempotency').select('body').where('analyst', '=', job.analyst).where('key', '=', key).executeTakeFirst();
}

async function refusalOf(trx: Transaction<Tables>, { job, maxLiveJobs }: Submission): Promise<SubmitResult | undefined> {
  const bundle = await trx.selectFrom('files').select('size').where('kind', '=', 'bundle').where('digest', '=', job.bundle).executeTakeFirst();
  if (bundle === undefined) return { kind: 'bundle_missing' };
  const garbage = await trx.selectFrom('garbage').select('seq').where('kind', '=', 'job').where('digest', '=', job.job).executeTakeFirst();
  if (garbage !== undefined) return { kind: 'being_deleted' };
  const taken = await trx.selectFrom('jobs').select('job').where('short', '=', shortOf(job.job)).executeTakeFirst();
  if (taken !== undefined) return { kind: 'name_taken' };
  const live = await trx.selectFrom('jobs').select('job').where('analyst', '=', job.analyst).where(IS_LIVE).limit(maxLiveJobs).execute();
  return live.length >= maxLiveJobs ? { kind: 'too_many' } : undefined;
}

async function insertJob(trx: Transaction<Tables>, { job, now }: Submission): Promise<JobRecord> {
  const time = now.getTime();
  await trx
    .insertInto('jobs')
    .values({
      job: job.job,
      short: shortOf(job.job),
      id: job.id,
      analyst: job.analyst,
      manifest: job.manifest,
      bundle: job.bundle,
      not_after: job.notAfter.getTime(),
      max_attempts: job.maxAttempts,
      state: 'queued',
      attempt: 0,
      version: 0,
      created_at: time,
      updated_at: time,
      code: null,
      cells_done: null,
      cells_total: null,
      report: null
    })
    .execute();
  const { id, analyst, bundle, notAfter, maxAttempts } = job;
  const stored: JobRecord = { job: job.job, id, analyst, bundle, notAfter, maxAttempts, state: 'queued', attempt: 0, version: 0, createdAt: now, updatedAt: now };
  await insertWork(trx, job.job, { kind: 'start', notBefore: now, tries: 0 });
  await insertEvent(trx, stored);
  return stored;
}

/** The part of a job's digest that instance names carry. */
function shortOf(job: Submission['job']['job']): string {
  return instanceName(job, 1);
}
