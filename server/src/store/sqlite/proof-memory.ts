import { openDatabase, type Migration, type OpenDatabase } from '@cloister/kit';
import type { ProofMemory } from '../port.js';

interface Tables {
  proofs: { id: string; until: number };
}

const MIGRATIONS: readonly Migration[] = [
  {
    name: '001-proofs',
    sql: `CREATE TABLE proofs (id TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX proofs_by_age ON proofs (until);`
  }
];

const PRUNE_EVERY_MS = 10_000;

export interface SqliteProofMemory extends ProofMemory {
  readonly close: () => Promise<void>;
}

/**
 * Ids of proofs in a database of their own: one is written with every request, so it does without the flush to disk
 * that the server's own database makes at each commit. It survives a kill of the process; what a power cut may take
 * are ids of the last moments, and the requests that those signed change nothing when they are repeated.
 */
export function openSqliteProofMemory(path: string): SqliteProofMemory {
  const { db, sqlite, close }: OpenDatabase<Tables> = openDatabase<Tables>(path, MIGRATIONS);
  sqlite.pragma('synchronous = NORMAL');
  let pruned = 0;
  return {
    close,
    remember: async (id, until, now) => {
      if (Math.abs(now.getTime() - pruned) > PRUNE_EVERY_MS) {
        pruned = now.getTime();
        await db.deleteFrom('proofs').where('until', '<', now.getTime()).execute();
      }
      const { numInsertedOrUpdatedRows: inserted } = await db
        .insertInto('proofs')
        .values({ id, until: until.getTime() })
        .onConflict(conflict => conflict.doNothing())
        .executeTakeFirstOrThrow();
      return inserted === 1n;
    }
  };
}
