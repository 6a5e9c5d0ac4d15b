import * as z from 'zod/mini';
import { AppError, Digest, Time, type JobView } from '@cloister/protocol';
import type { Services } from '../services.js';
import type { StateFolder } from '../state-folder.js';
import { listKept, readRecords, type JobRecord } from './job-folder.js';
import { readJobView } from './job-view.js';
import type { JobPage } from './manage-jobs.js';

/** What of a job never changes, and can therefore be remembered. */
export type KnownJob = Pick<JobRecord, 'job' | 'notebook' | 'purpose' | 'createdAt'>;

export interface FindOptions {
  readonly matches: (job: KnownJob) => boolean;
  readonly limit: number;
  readonly cursor?: string;
}

/** The jobs that this machine sent, by what they are called. */
export interface JobIndex {
  /** All that are kept now, newest first. */
  readonly list: () => Promise<readonly KnownJob[]>;
}

/** Reads each job's record once: ten thousand of them take seconds, their names alone some milliseconds. */
export function createJobIndex(state: StateFolder): JobIndex {
  const known = new Map<Digest, KnownJob>();
  let sorted: readonly KnownJob[] = [];
  let reading: Promise<void> | undefined;
  const refresh = async (): Promise<void> => {
    const kept = await listKept(state);
    const there = new Set(kept);
    const gone = [...known.keys()].filter(job => !there.has(job));
    const fresh = await readRecords(state, kept.filter(job => !known.has(job)));
    for (const job of gone) known.delete(job);
    for (const { job, notebook, purpose, createdAt } of fresh.values()) known.set(job, { job, notebook, purpose, createdAt });
    if (gone.length + fresh.size > 0) sorted = [...known.values()].sort((a, b) => (comesAfter(a, b) ? 1 : -1));
  };
  return {
    list: async () => {
      reading ??= refresh().finally(() => (reading = undefined));
      await reading;
      return sorted;
    }
  };
}

/** Whether `a` stands after `b` in a list, newest first. */
function comesAfter(a: Position, b: Position): boolean {
  return a.createdAt === b.createdAt ? a.job < b.job : a.createdAt < b.createdAt;
}

type Position = Pick<KnownJob, 'job' | 'createdAt'>;

const AT_ONCE = 8;
/** Jobs that the server does not know any more are passed over, as far as this on one page. */
const MAX_LOOKED_AT = 500;

/**
 * Those of this machine's jobs that match, newest first, with what the server says of them now. Only those on the page are
 * asked for; one that the server has deleted meanwhile is passed over.
 * @throws AppError invalid_cursor
 */
export async function findJobs(services: Services, state: StateFolder, index: JobIndex, { matches, limit, cursor }: FindOptions): Promise<JobPage> {
  const start = cursor === undefined ? undefined : parseCursor(cursor);
  const found = (await index.list()).filter(job => (start === undefined || comesAfter(job, start)) && matches(job));
  const jobs: JobView[] = [];
  let at = 0;
  while (at < found.length && at < MAX_LOOKED_AT && jobs.length < limit) {
    const some = found.slice(at, at + Math.min(AT_ONCE, limit - jobs.length));
    const views = await Promise.all(some.map(async ({ job }) => readJobView(services, state, job).catch(undefinedIfGone)));
    jobs.push(...views.filter(view => view !== undefined));
    at += some.length;
  }
  const last = found[at - 1];
  return { jobs, ...(last === undefined || at >= found.length ? {} : { next: `${last.createdAt},${last.job}` }) };
}

const Cursor = z.tuple([Time, Digest]);

function parseCursor(text: string): Position {
  const parsed = Cursor.safeParse(text.split(','));
  if (!parsed.success) throw new AppError('invalid_cursor', 'the cursor is not of a search');
  const [createdAt, job] = parsed.data;
  return { createdAt, job };
}

function undefinedIfGone(error: unknown): undefined {
  if (error instanceof AppError && error.code === 'not_found') return undefined;
  throw error;
}
