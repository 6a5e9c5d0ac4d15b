import { access, readFile, readdir, rename, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import * as z from 'zod/mini';
import {
  AppError,
  Attempt,
  BundleFile,
  CompactJws,
  Digest,
  InputName,
  MANIFEST,
  Time,
  digestOf,
  jcs,
  verifyObject,
  type Manifest,
  type Thumbprint,
  type Verified
} from '@cloister/protocol';
import { createPrivateFile, ensurePrivateDirectory, readConfigFile, replacePrivateFile } from '@cloister/kit';
import type { StateFolder } from '../state-folder.js';

/** What the agent remembers of a job that it sent. */
export const JobRecord = z.strictObject({
  v: z.literal(1),
  job: Digest,
  /** Absolute path of the notebook at the time. */
  notebook: z.string(),
  createdAt: Time,
  purpose: z.string(),
  inputs: z.array(z.strictObject({ name: InputName, asset: Digest })),
  files: z.array(z.extend(BundleFile, { why: z.string() })),
  idempotencyKey: z.string(),
  retryOf: z.optional(Digest),
  /** Digest of the statement that was seen for an attempt: a second one for the same attempt is a lie. */
  statements: z.array(z.strictObject({ attempt: Attempt, statement: Digest })),
  /** Where its results were unsealed to. */
  results: z.optional(z.string())
});
export type JobRecord = z.infer<typeof JobRecord>;

export interface KeptJob {
  readonly record: JobRecord;
  readonly manifest: Verified<Manifest>;
}

const folderOf = (state: StateFolder, job: Digest): string => join(state.jobs, job.slice('sha256:'.length));

/** Keeps a job before it is sent, so that what is sent can always be compared with what was meant. */
export async function keepJob(state: StateFolder, record: JobRecord, parts: { readonly manifest: CompactJws; readonly bundle: Uint8Array }): Promise<void> {
  const partial = join(state.jobs, `.partial-${randomBytes(8).toString('hex')}`);
  await ensurePrivateDirectory(partial);
  try {
    await createPrivateFile(join(partial, 'manifest.jws'), parts.manifest);
    await createPrivateFile(join(partial, 'bundle.age'), parts.bundle);
    await createPrivateFile(join(partial, 'record.json'), `${jcs(JobRecord.parse(record))}\n`);
    await rename(partial, folderOf(state, record.job));
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

/** @throws AppError not_found | wrong_signer | digest_mismatch where the kept files are not what was sent */
export async function readJob(state: StateFolder, job: Digest, analyst: Thumbprint): Promise<KeptJob> {
  const folder = folderOf(state, job);
  const jws = await readFile(join(folder, 'manifest.jws'), 'utf8').catch((cause: unknown) => {
    throw new AppError('not_found', `this machine did not send the job ${job}`, { cause });
  });
  const manifest = await verifyObject(MANIFEST, jws, analyst);
  if (manifest.digest !== job) throw new AppError('digest_mismatch', 'the kept manifest is of another job');
  return { record: await readRecord(folder), manifest };
}

/** The sealed bundle, checked against the manifest. @throws AppError digest_mismatch */
export async function readKeptBundle(state: StateFolder, kept: KeptJob): Promise<Uint8Array> {
  const bytes = await readFile(join(folderOf(state, kept.record.job), 'bundle.age'));
  if (digestOf(bytes) !== kept.manifest.payload.code.bundle) throw new AppError('digest_mismatch', 'the kept bundle is not the one that was signed');
  return bytes;
}

async function readRecord(folder: string): Promise<JobRecord> {
  return JobRecord.parse(await readConfigFile(join(folder, 'record.json'), JobRecord));
}

export async function updateRecord(state: StateFolder, record: JobRecord): Promise<void> {
  await replacePrivateFile(join(folderOf(state, record.job), 'record.json'), `${jcs(JobRecord.parse(record))}\n`);
}

/** What is remembered of these jobs, of those that this machine sent. */
export async function readRecords(state: StateFolder, jobs: readonly Digest[]): Promise<Map<Digest, JobRecord>> {
  const records = new Map<Digest, JobRecord>();
  for (let at = 0; at < jobs.length; at += OPEN_FILES) {
    const read = await Promise.all(jobs.slice(at, at + OPEN_FILES).map(async job => readRecord(folderOf(state, job)).catch((error: unknown) => requireGone(state, job, error))));
    for (const record of read) if (record !== undefined) records.set(record.job, record);
  }
  return records;
}

/** Files open at one time: ten thousand at once are more than a process may have. */
const OPEN_FILES = 64;

/** A record may be missing with its whole folder: never kept, or deleted meanwhile. One that cannot be read is an error. */
async function requireGone(state: StateFolder, job: Digest, error: unknown): Promise<undefined> {
  const there = await access(folderOf(state, job)).then(
    () => true,
    () => false
  );
  if (there) throw error;
}

/** Every job that this machine sent, in no order. */
export async function listKept(state: StateFolder): Promise<Digest[]> {
  return (await readdir(state.jobs)).filter(name => /^[0-9a-f]{64}$/.test(name)).map(name => Digest.parse(`sha256:${name}`));
}

/** Jobs that this machine sent, newest first. */
export async function listRecords(state: StateFolder): Promise<JobRecord[]> {
  const records = await readRecords(state, await listKept(state));
  return [...records.values()].sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
}

export async function forgetJob(state: StateFolder, job: Digest): Promise<void> {
  await rm(folderOf(state, job), { recursive: true, force: true });
}
