import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeServerStore } from '../contract.js';
import type { ServerStore } from '../port.js';
import { openSqliteServerStore } from './sqlite-server-store.js';

let root: string;
const opened: ServerStore[] = [];
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'cloister-store-'));
});
afterAll(async () => {
  for (const store of opened) await store.close();
  await rm(root, { recursive: true, force: true });
});

async function directoryOf(place: string): Promise<string> {
  const directory = join(root, place);
  await mkdir(directory, { recursive: true });
  return directory;
}

describeServerStore('SQLite', async place => {
  let commits = 0;
  const store = openSqliteServerStore({ directory: await directoryOf(place), committed: () => (commits += 1) });
  opened.push(store);
  return { store, commits: () => commits };
});

test('files of the database are for their owner only', async () => {
  const directory = await directoryOf('modes');
  opened.push(openSqliteServerStore({ directory, committed: () => undefined }));
  for (const name of ['server.db', 'proofs.db']) expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600);
});

test('a database that a newer server wrote is refused', async () => {
  const directory = await directoryOf('newer');
  await openSqliteServerStore({ directory, committed: () => undefined }).close();
  const raw = new Database(join(directory, 'server.db'));
  raw.pragma('user_version = 99');
  raw.close();
  expect(() => openSqliteServerStore({ directory, committed: () => undefined })).toThrow('config_invalid');
});

const SEEKS = [
  ['a page', `SELECT job FROM jobs WHERE analyst = 'a' AND (created_at, job) < (5, 'x') ORDER BY created_at DESC, job DESC LIMIT 50`, 'jobs_newest'],
  ['a page of one state', `SELECT job FROM jobs WHERE analyst = 'a' AND state = 'failed' AND (created_at, job) < (5, 'x') ORDER BY created_at DESC, job DESC LIMIT 50`, 'jobs_newest_in_state'],
  ['live jobs', `SELECT job FROM jobs WHERE jobs.state IN ('queued', 'waiting', 'launching', 'attesting', 'running', 'sealing') ORDER BY created_at, job`, 'jobs_live'],
  ['events', `SELECT seq FROM events WHERE analyst = 'a' AND seq > 5 ORDER BY seq LIMIT 9`, 'events_of_analyst']
] as const;

test.each(SEEKS)('%s is found by an index, without sorting', async (_, query, index) => {
  const directory = await directoryOf('plans');
  await openSqliteServerStore({ directory, committed: () => undefined }).close();
  const raw = new Database(join(directory, 'server.db'));
  const plan = raw.prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${query}`).all().map(row => row.detail).join('; ');
  raw.close();
  expect(plan).toContain(index);
  expect(plan).not.toContain('TEMP B-TREE');
});
