import { createHash, randomBytes } from 'node:crypto';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { CompactJws, Digest, createId, type Thumbprint, type UuidV7 } from '@cloister/protocol';

import { openSqliteServerStore } from '../../server/src/store/sqlite/sqlite-server-store.js';
import type { Bench } from './figure.js';

const DATABASES = ['server.db', 'proofs.db'];
/** About as much as a manifest of two inputs takes; its rows lie between those that a list reads. */
const MANIFEST_BYTES = 3000;
const A_SECOND = 1000;

export interface SeededJob {
  readonly job: Digest;
  readonly id: UuidV7;
  readonly createdAt: Date;
}

/** Fills the database of a server that does not run with ended jobs of one analyst, a second apart, by its own store. */
export async function seedJobs({ resources }: Bench, serverDir: string, { analyst, jobs }: { readonly analyst: Thumbprint; readonly jobs: number }): Promise<SeededJob[]> {
  // In memory first: every commit waits for the disk, which would take minutes and is not what we measure.
  const directory = await resources.memoryFolder('seed');
  const store = openSqliteServerStore({ directory, committed: () => undefined });
  const bundle = digestOf('bundle');
  const begun = Date.now() - jobs * A_SECOND;
  await store.files.add({ kind: 'bundle', digest: bundle, size: 1, by: analyst }, new Date(begun));
  const seeded: SeededJob[] = [];
  for (let number = 0; number < jobs; number += 1) {
    const now = new Date(begun + number * A_SECOND);
    const job = digestOf(`job ${number}`);
    const id = createId(now);
    const manifest = CompactJws.parse(`e30.${randomBytes(MANIFEST_BYTES).toString('base64url')}.AA`);
    const result = await store.jobs.submit({
      job: { job, id, analyst, manifest, bundle, notAfter: new Date(Date.now() + 3_600_000), maxAttempts: 3 },
      maxLiveJobs: 100,
      now
    });
    if (result.kind !== 'created') throw new Error(`a job could not be stored: ${result.kind}`);
    // Ended, so that the reconciler leaves it alone.
    await store.jobs.change(result.job, { state: 'cancelled', attempt: 0, code: 'cancelled' }, { now });
    seeded.push({ job, id, createdAt: now });
  }
  await store.close();
  await mkdir(serverDir, { recursive: true, mode: 0o700 });
  for (const name of DATABASES) await copyFile(join(directory, name), join(serverDir, name));
  return seeded;
}

function digestOf(text: string): Digest {
  return Digest.parse(`sha256:${createHash('sha256').update(text).digest('hex')}`);
}
