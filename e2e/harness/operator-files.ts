import { readFileSync, readdirSync, readlinkSync, lstatSync, existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import Database from 'better-sqlite3';
import { JobState, type Digest } from '@cloister/protocol';
import * as z from 'zod/mini';

const JobRow = z.object({ job: z.string(), state: JobState, attempt: z.number(), code: z.nullable(z.string()), report: z.nullable(z.string()) });
export type JobRow = z.infer<typeof JobRow>;

const databaseOf = (home: string): string => join(home, 'server', 'server.db');

/** What the operator's own database says of jobs, read beside a running server or after one was killed. */
export interface OperatorDatabase {
  readonly job: (job: Digest) => JobRow | undefined;
  readonly count: (table: 'jobs' | 'events' | 'reports' | 'files' | 'idempotency') => number;
  /** How many events say that the job has ended. */
  readonly ends: (job: Digest) => number;
  readonly close: () => void;
}

export function openOperatorDatabase(home: string): OperatorDatabase {
  const database = new Database(databaseOf(home), { readonly: true });
  const byJob = database.prepare('select job, state, attempt, code, report from jobs where job = ?');
  const ends = database.prepare("select count(*) as n from events where job = ? and state in ('succeeded', 'failed', 'cancelled', 'lost')");
  const Counted = z.object({ n: z.number() });
  return {
    job: job => {
      const row = byJob.get(job);
      return row === undefined ? undefined : JobRow.parse(row);
    },
    count: table => Counted.parse(database.prepare(`select count(*) as n from ${table}`).get()).n,
    ends: job => Counted.parse(ends.get(job)).n,
    close: () => database.close()
  };
}

/** Looks once. */
export function readOperatorDatabase<T>(home: string, look: (database: OperatorDatabase) => T): T {
  const database = openOperatorDatabase(home);
  try {
    return look(database);
  } finally {
    database.close();
  }
}

/** One text of the operator's database: a query that gives `value` for a key. */
export function readOperatorText(home: string, query: string, key: string): string {
  const database = new Database(databaseOf(home), { readonly: true });
  try {
    return z.object({ value: z.string() }).parse(database.prepare(query).get(key)).value;
  } finally {
    database.close();
  }
}

/** The operator changes a row behind the server's back. */
export function tamperDatabase(home: string, statement: string, ...values: readonly (string | number)[]): void {
  const database = new Database(databaseOf(home));
  try {
    if (database.prepare(statement).run(...values).changes === 0) throw new Error('nothing was changed');
  } finally {
    database.close();
  }
}

const shard = (digest: Digest): [string, string] => [digest.slice(7, 9), digest.slice(7)];

/** Where the operator keeps a sealed file. */
export function blobPath(home: string, kind: 'bundles' | 'assets', digest: Digest): string {
  return join(home, 'server/blobs', kind, ...shard(digest));
}

/** Where the operator keeps what a job's attempts published: `<attempt>-<output>`, `-index`, `-report`. */
export function jobBlobs(home: string, job: Digest): string {
  return join(home, 'server/blobs/jobs', ...shard(job));
}

export function reportsOf(home: string, job: Digest): string[] {
  const folder = jobBlobs(home, job);
  return existsSync(folder) ? readdirSync(folder).filter(name => name.endsWith('-report')) : [];
}

/** Plain files below a folder, relative. */
export function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

/** Files below these folders that hold any of the texts, in their bytes, names, or link targets. */
export function findTexts(folders: readonly string[], texts: readonly string[]): string[] {
  const wanted = texts.map(text => Buffer.from(text));
  const found: string[] = [];
  for (const folder of folders) {
    const entries = lstatSync(folder).isDirectory() ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(name => join(folder, name)) : [folder];
    for (const path of entries) {
      const stat = lstatSync(path);
      const content = stat.isFile() ? readFileSync(path) : Buffer.from(stat.isSymbolicLink() ? readlinkSync(path) : '');
      for (const [at, bytes] of wanted.entries()) if (content.includes(bytes) || path.includes(texts[at] ?? '')) found.push(`${path}: ${texts[at] ?? ''}`);
    }
  }
  return found;
}
