import { readFile, writeFile } from 'node:fs/promises';
import Database from 'better-sqlite3';
import { AppError } from '@cloister/protocol';

export interface Lock {
  readonly release: () => void;
}

/**
 * One process per state directory. The lock is the kernel's own, taken by SQLite on a file of its own, so it ends with
 * the process however that ends: no stale pid can keep anybody out, and nobody can take it from a live process.
 * The pid beside it (`<path>.pid`) is only told to people.
 * @throws AppError state_locked
 */
export async function acquireLock(path: string): Promise<Lock> {
  const database = new Database(path, { timeout: 0 });
  try {
    // In memory: a journal file would be one more thing that a crash leaves behind.
    database.pragma('journal_mode = MEMORY');
    database.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    database.close();
    const busy = cause instanceof Database.SqliteError && cause.code.startsWith('SQLITE_BUSY');
    if (!busy) throw cause;
    const pid = await readFile(`${path}.pid`, 'utf8').catch(() => '');
    throw new AppError('state_locked', `another process${/^\d+$/.test(pid) ? ` (pid ${pid})` : ''} holds ${path}`, { cause });
  }
  await writeFile(`${path}.pid`, String(process.pid), { mode: 0o600 });
  return { release: () => database.close() };
}
