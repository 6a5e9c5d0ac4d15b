import type { Digest } from '@cloister/protocol';
import type { ExpressionBuilder, ExpressionWrapper, Kysely, SqlBool, Transaction } from 'kysely';
import type { Garbage } from '../../blobs/port.js';
import type { FileRecord, FileStore } from '../port.js';
import type { Tables } from './tables.js';

export function createSqliteFileStore(db: Kysely<Tables>): FileStore {
  return {
    add: async (file, now) => db.transaction().execute(async trx => addFile(trx, file, now)),
    find: async (kind, digest) => {
      const row = await db.selectFrom('files').select(['kind', 'digest', 'size', 'stored_by as by']).where('kind', '=', kind).where('digest', '=', digest).executeTakeFirst();
      return row;
    },
    unusedBundleBytes: async by => {
      const { total } = await db
        .selectFrom('files')
        .select(eb => eb.fn.coalesce(eb.fn.sum<number>('size'), eb.lit(0)).as('total'))
        .where('kind', '=', 'bundle')
        .where('stored_by', '=', by)
        .where(isUnused)
        .executeTakeFirstOrThrow();
      return total;
    },
    retireUnusedBundles: async before => db.transaction().execute(async trx => retireUnusedBundles(trx, before)),
    garbage: async limit => {
      const rows = await db.selectFrom('garbage').select(['kind', 'digest']).orderBy('seq').limit(limit).execute();
      return rows.map(garbageOf);
    },
    isGarbage: async garbage => isGarbage(db, garbage),
    collected: async garbage => {
      await db.deleteFrom('garbage').where('kind', '=', garbage.kind).where('digest', '=', digestOfGarbage(garbage)).execute();
    }
  };
}

function isUnused(eb: ExpressionBuilder<Tables, 'files'>): ExpressionWrapper<Tables, 'files', SqlBool> {
  return eb.not(eb.exists(eb.selectFrom('jobs').select('jobs.job').whereRef('jobs.bundle', '=', 'files.digest')));
}

async function addFile(trx: Transaction<Tables>, file: FileRecord, now: Date): Promise<void> {
  await trx
    .insertInto('files')
    .values({ kind: file.kind, digest: file.digest, size: file.size, stored_by: file.by, stored_at: now.getTime() })
    .onConflict(conflict => conflict.columns(['kind', 'digest']).doUpdateSet({ stored_at: now.getTime() }))
    .execute();
  if (file.kind === 'bundle') await trx.deleteFrom('garbage').where('kind', '=', 'bundle').where('digest', '=', file.digest).execute();
}

async function retireUnusedBundles(trx: Transaction<Tables>, before: Date): Promise<void> {
  const retired = await trx
    .deleteFrom('files')
    .where('kind', '=', 'bundle')
    .where('stored_at', '<', before.getTime())
    .where(isUnused)
    .returning('digest')
    .execute();
  for (const { digest } of retired) {
    await trx.insertInto('garbage').values({ kind: 'bundle', digest }).onConflict(conflict => conflict.doNothing()).execute();
  }
}

async function isGarbage(db: Kysely<Tables>, garbage: Garbage): Promise<boolean> {
  const row =
    garbage.kind === 'job'
      ? await db.selectFrom('jobs').select('job').where('job', '=', garbage.job).executeTakeFirst()
      : await db.selectFrom('files').select('digest').where('kind', '=', 'bundle').where('digest', '=', garbage.digest).executeTakeFirst();
  return row === undefined;
}

function garbageOf({ kind, digest }: { readonly kind: Garbage['kind']; readonly digest: Digest }): Garbage {
  return kind === 'job' ? { kind, job: digest } : { kind, digest };
}

function digestOfGarbage(garbage: Garbage): Digest {
  return garbage.kind === 'job' ? garbage.job : garbage.digest;
}
