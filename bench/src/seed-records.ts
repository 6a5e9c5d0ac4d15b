import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { stateFolderOf } from '@cloister/agent';
import { jcs, toTime } from '@cloister/protocol';

import { JobRecord } from '../../agent/src/job/job-folder.js';
import type { SeededJob } from './seed-jobs.js';

const AT_ONCE = 64;

/** What the agent remembers of jobs that it sent: names come from here. */
export async function seedRecords({ home, workspace }: { readonly home: string; readonly workspace: string }, seeded: readonly SeededJob[]): Promise<void> {
  const { jobs: folder } = stateFolderOf(home);
  for (let at = 0; at < seeded.length; at += AT_ONCE) {
    await Promise.all(seeded.slice(at, at + AT_ONCE).map(async job => writeRecord(folder, workspace, job)));
  }
}

async function writeRecord(folder: string, workspace: string, { job, id, createdAt }: SeededJob): Promise<void> {
  const record = JobRecord.parse({
    v: 1,
    job,
    notebook: join(workspace, `analysis-${job.slice(-8)}.ipynb`),
    createdAt: toTime(createdAt),
    purpose: 'research',
    inputs: [],
    files: [],
    idempotencyKey: id,
    statements: []
  });
  const place = join(folder, job.slice('sha256:'.length));
  await mkdir(place, { recursive: true, mode: 0o700 });
  await writeFile(join(place, 'record.json'), `${jcs(record)}\n`, { mode: 0o600 });
}
