import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { acquireLock, openDatabase, type Migration } from './index.js';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cloister-sqlite-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const FIRST: Migration = { name: 'things', sql: 'CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT' };
const SECOND: Migration = { name: 'colours', sql: "ALTER TABLE thing ADD COLUMN colour TEXT NOT NULL DEFAULT 'grey'" };
interface Tables {
  thing: { id: number; name: string; colour?: string };
}

test('migrations are made once, in order, and rows live through them', async () => {
  const path = join(directory, 'db');
  const old = openDatabase<Tables>(path, [FIRST]);
  await old.db.insertInto('thing').values({ id: 1, name: 'a' }).execute();
  await old.close();
  const now = openDatabase<Tables>(path, [FIRST, SECOND]);
  expect(await now.db.selectFrom('thing').selectAll().execute()).toEqual([{ id: 1, name: 'a', colour: 'grey' }]);
  await now.close();
});

test('a database of a newer program is refused', async () => {
  const path = join(directory, 'db');
  await openDatabase(path, [FIRST, SECOND]).close();
  expect(() => openDatabase(path, [FIRST])).toThrow(expect.objectContaining({ code: 'config_invalid' }));
});

test('a migration that fails leaves the schema as it was', async () => {
  const path = join(directory, 'db');
  const broken: Migration = { name: 'broken', sql: 'CREATE TABLE half (id INTEGER); CREATE TABLE thing (id INTEGER)' };
  await openDatabase(path, [FIRST]).close();
  expect(() => openDatabase(path, [FIRST, broken])).toThrow('already exists');
  const { sqlite, close } = openDatabase(path, [FIRST]);
  expect(sqlite.prepare("SELECT count(*) AS tables FROM sqlite_schema WHERE name = 'half'").get()).toEqual({ tables: 0 });
  await close();
});

test('commits are durable, keys hold, and the files are private', async () => {
  const path = join(directory, 'db');
  const { sqlite, close } = openDatabase(path, [FIRST]);
  const pragma = (name: string): unknown => sqlite.pragma(name, { simple: true });
  expect([pragma('journal_mode'), pragma('synchronous'), pragma('foreign_keys'), pragma('busy_timeout')]).toEqual(['wal', 2, 1, 5000]);
  for (const file of [path, `${path}-wal`]) expect((await stat(file)).mode & 0o777).toBe(0o600);
  await close();
});

test('a lock has one holder at a time', async () => {
  const path = join(directory, 'lock');
  const lock = await acquireLock(path);
  await expect(acquireLock(path)).rejects.toThrow(`state_locked: another process (pid ${process.pid})`);
  lock.release();
  (await acquireLock(path)).release();
});

test('a lock ends with its process, however that ends', async () => {
  const path = join(directory, 'lock');
  const program = `
    const database = new (require('better-sqlite3'))(process.argv[1]);
    database.exec('BEGIN EXCLUSIVE');
    console.log('held');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['-e', program, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  await expect(acquireLock(path)).rejects.toMatchObject({ code: 'state_locked' });
  child.kill('SIGKILL');
  await once(child, 'close');
  (await acquireLock(path)).release();
});
