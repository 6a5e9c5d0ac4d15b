import { closeSync, openSync } from 'node:fs';
import Database from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import { AppError } from '@cloister/protocol';

/** One step of a schema. Steps are numbered by their place, never changed, and appended to. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
}

export interface OpenDatabase<Tables> {
  readonly db: Kysely<Tables>;
  /** The same connection, for what must be synchronous: a transaction that decides and writes without a pause. */
  readonly sqlite: Database.Database;
  readonly close: () => Promise<void>;
}

/**
 * Opens a SQLite database that survives a crash and a power cut: write-ahead log, FULL synchronous (each commit is on
 * disk before anybody hears of it), foreign keys on. `:memory:` for tests. Missing migrations are made, each in a
 * transaction; a schema newer than this program is refused, because it would be misread.
 * @throws AppError config_invalid
 */
export function openDatabase<Tables>(path: string, migrations: readonly Migration[]): OpenDatabase<Tables> {
  // SQLite gives its journals the mode of the database, which must be there before with ours.
  if (path !== ':memory:') closeSync(openSync(path, 'a', 0o600));
  const sqlite = new Database(path, { timeout: 5000 });
  try {
    sqlite.pragma('journal_mode = WAL');
    sqlite.pragma('synchronous = FULL');
    sqlite.pragma('foreign_keys = ON');
    sqlite.pragma('trusted_schema = OFF');
    migrate(sqlite, migrations);
  } catch (error) {
    sqlite.close();
    throw error;
  }
  const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database: sqlite }) });
  return { db, sqlite, close: () => db.destroy() };
}

function migrate(sqlite: Database.Database, migrations: readonly Migration[]): void {
  // IMMEDIATE: two processes that start at once make each step once.
  const step = sqlite.transaction((): boolean => {
    const version = versionOf(sqlite);
    if (version > migrations.length) {
      throw new AppError('config_invalid', `the database has schema ${version}, this program knows ${migrations.length}`, {
        hint: 'Use the newer version of Cloister that wrote it.'
      });
    }
    const next = migrations[version];
    if (next === undefined) return false;
    sqlite.exec(next.sql);
    sqlite.pragma(`user_version = ${version + 1}`);
    return true;
  });
  while (step.immediate());
}

function versionOf(sqlite: Database.Database): number {
  const version: unknown = sqlite.pragma('user_version', { simple: true });
  if (typeof version !== 'number') throw new AppError('config_invalid', 'the database has no readable schema version');
  return version;
}
