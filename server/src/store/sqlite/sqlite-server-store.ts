import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { openDatabase } from '@cloister/kit';
import type { Thumbprint } from '@cloister/protocol';
import { sql, type Kysely } from 'kysely';
import type { SecretStore, ServerStore } from '../port.js';
import { createSqliteAttemptStore } from './attempt-store.js';
import { createSqliteCatalogStore } from './catalog-store.js';
import { createSqliteEventLog } from './event-log.js';
import { createSqliteFileStore } from './file-store.js';
import { createSqliteJobStore } from './job-store.js';
import { initial } from './migrations/001-initial.js';
import { openSqliteProofMemory } from './proof-memory.js';
import type { Tables } from './tables.js';

/** Append only. */
const MIGRATIONS = [initial];

export interface SqliteServerStoreOptions {
  /** A directory of the server's own. */
  readonly directory: string;
  /** Called after every commit that wrote an event. */
  readonly committed: (analyst: Thumbprint) => void;
}

/** @throws AppError config_invalid where a newer server wrote the database */
export function openSqliteServerStore({ directory, committed }: SqliteServerStoreOptions): ServerStore {
  const { db, close } = openDatabase<Tables>(join(directory, 'server.db'), MIGRATIONS);
  const proofs = openSqliteProofMemory(join(directory, 'proofs.db'));
  return {
    jobs: createSqliteJobStore(db, committed),
    attempts: createSqliteAttemptStore(db),
    catalog: createSqliteCatalogStore(db),
    files: createSqliteFileStore(db),
    events: createSqliteEventLog(db),
    proofs,
    secrets: createSqliteSecretStore(db),
    ping: async () => {
      await sql`SELECT 1`.execute(db);
    },
    close: async () => {
      await Promise.all([close(), proofs.close()]);
    }
  };
}

function createSqliteSecretStore(db: Kysely<Tables>): SecretStore {
  return {
    get: async name => {
      const fresh = randomBytes(32).toString('base64url');
      await db.insertInto('secrets').values({ name, value: fresh }).onConflict(conflict => conflict.doNothing()).execute();
      return (await db.selectFrom('secrets').select('value').where('name', '=', name).executeTakeFirstOrThrow()).value;
    }
  };
}
