import { SubjectName, type Digest } from '@cloister/protocol';
import type { Kysely, Transaction } from 'kysely';
import type { AttemptStore, StoredReport, StoredSubject } from '../port.js';
import { attemptOf } from './rows.js';
import type { Tables } from './tables.js';

/** After every output: names are `output/0` … `output/9999`. */
const INDEX_POSITION = 1_000_000;

export function createSqliteAttemptStore(db: Kysely<Tables>): AttemptStore {
  const at = (job: Digest, attempt: number): Attempt => ({ job, attempt });
  return {
    find: async (job, attempt) => {
      const row = await db.selectFrom('attempts').selectAll().where('job', '=', job).where('attempt', '=', attempt).executeTakeFirst();
      return row === undefined ? undefined : attemptOf(row);
    },
    bind: async (job, attempt, { key, image }) => {
      const bound = await db
        .updateTable('attempts')
        .set({ key, image })
        .where('job', '=', job)
        .where('attempt', '=', attempt)
        .where('key', 'is', null)
        .executeTakeFirst();
      if (bound.numUpdatedRows > 0n) return 'bound';
      const row = await db.selectFrom('attempts').select('key').where('job', '=', job).where('attempt', '=', attempt).executeTakeFirst();
      return row?.key === key ? 'same' : 'other';
    },
    claimFailure: async (job, attempt, { code, denials }) => {
      await db
        .updateTable('attempts')
        .set({ claim_code: code, claim_denials: JSON.stringify(denials) })
        .where('job', '=', job)
        .where('attempt', '=', attempt)
        .execute();
    },
    addOutput: async (job, attempt, subject) => db.transaction().execute(async trx => addOutput(trx, at(job, attempt), subject)),
    outputs: async (job, attempt) =>
      db.selectFrom('outputs').select(['name', 'digest', 'size']).where('job', '=', job).where('attempt', '=', attempt).orderBy('position').execute(),
    addReport: async (job, attempt, report) => db.transaction().execute(async trx => addReport(trx, at(job, attempt), report)),
    report: async (job, attempt) => {
      const row = await db.selectFrom('reports').select(['digest', 'failure']).where('job', '=', job).where('attempt', '=', attempt).executeTakeFirst();
      if (row === undefined) return undefined;
      return { digest: row.digest, outcome: row.failure === null ? { status: 'succeeded' } : { status: 'failed', code: row.failure } };
    }
  };
}

interface Attempt {
  readonly job: Digest;
  readonly attempt: number;
}

async function exists(trx: Transaction<Tables>, { job, attempt }: Attempt): Promise<boolean> {
  const row = await trx.selectFrom('attempts').select('attempt').where('job', '=', job).where('attempt', '=', attempt).executeTakeFirst();
  return row !== undefined;
}

async function addOutput(trx: Transaction<Tables>, attempt: Attempt, subject: StoredSubject): Promise<'added' | 'same' | 'other' | 'gone'> {
  if (!(await exists(trx, attempt))) return 'gone';
  const position = positionOf(subject.name);
  const known = await trx
    .selectFrom('outputs')
    .select('digest')
    .where('job', '=', attempt.job)
    .where('attempt', '=', attempt.attempt)
    .where('position', '=', position)
    .executeTakeFirst();
  if (known !== undefined) return known.digest === subject.digest ? 'same' : 'other';
  await trx.insertInto('outputs').values({ ...attempt, position, ...subject }).execute();
  return 'added';
}

async function addReport(trx: Transaction<Tables>, attempt: Attempt, report: StoredReport): Promise<'added' | 'same' | 'other' | 'gone'> {
  if (!(await exists(trx, attempt))) return 'gone';
  const known = await trx.selectFrom('reports').select('digest').where('job', '=', attempt.job).where('attempt', '=', attempt.attempt).executeTakeFirst();
  if (known !== undefined) return known.digest === report.digest ? 'same' : 'other';
  const failure = report.outcome.status === 'failed' ? report.outcome.code : null;
  await trx.insertInto('reports').values({ ...attempt, digest: report.digest, failure }).execute();
  return 'added';
}

function positionOf(name: StoredSubject['name']): number {
  return SubjectName.parse(name) === 'index' ? INDEX_POSITION : Number(name.slice('output/'.length));
}
