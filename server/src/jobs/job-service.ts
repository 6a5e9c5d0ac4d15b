import { AppError, MANIFEST, verifyObject, type Digest, type JobState, type JobView, type Manifest, type Thumbprint, type Verified } from '@cloister/protocol';
import type { Clock } from '@cloister/kit';
import type { BlobStore, StoredBlob } from '../blobs/port.js';
import type { ServerStore, SubmitResult } from '../store/port.js';
import type { JobChanges } from './change-job.js';
import type { GarbageCollector } from './garbage-collector.js';
import type { JobRecord } from './job.js';
import { viewOf } from './job-view.js';
import type { PageCursors } from './page-cursors.js';
import { isEnded } from './transitions.js';

export interface JobServiceDeps {
  readonly store: ServerStore;
  readonly blobs: BlobStore;
  readonly changes: JobChanges;
  readonly garbage: GarbageCollector;
  readonly cursors: PageCursors;
  readonly clock: Pick<Clock, 'now'>;
  readonly maxLiveJobs: number;
  /** The reconciler has something to look at. */
  readonly poke: () => void;
}

export interface ListRequest {
  readonly limit: number;
  readonly cursor?: string;
  readonly state?: JobState;
}

/** What analysts may do with their jobs. Another's job is as good as none. */
export interface JobService {
  readonly submit: (analyst: Thumbprint, manifest: string, idempotencyKey: string | undefined) => Promise<JobView>;
  readonly list: (analyst: Thumbprint, request: ListRequest) => Promise<{ jobs: JobView[]; next?: string }>;
  readonly get: (analyst: Thumbprint, job: Digest) => Promise<JobView>;
  readonly cancel: (analyst: Thumbprint, job: Digest) => Promise<JobView>;
  readonly remove: (analyst: Thumbprint, job: Digest) => Promise<void>;
  readonly report: (analyst: Thumbprint, job: Digest) => Promise<StoredBlob>;
  readonly output: (analyst: Thumbprint, job: Digest, output: number | 'index') => Promise<StoredBlob>;
}

export function createJobService(deps: JobServiceDeps): JobService {
  const { store, changes, poke } = deps;
  return {
    submit: async (analyst, manifest, idempotencyKey) => {
      const verified = await verifyObject(MANIFEST, manifest, analyst);
      if (verified.payload.analyst !== analyst) throw new AppError('wrong_signer', 'the manifest names another analyst');
      // What is stored already was accepted once; a retry of it must not fail because time went on.
      if ((await store.jobs.find(verified.digest)) === undefined) await requireRunnable(deps, verified.payload);
      return viewOf(await submitVerified(deps, verified, idempotencyKey));
    },
    list: async (analyst, request) => listJobs(deps, analyst, request),
    get: async (analyst, job) => detailedView(store, await ownJob(store, analyst, job)),
    cancel: async (analyst, job) => {
      const before = await ownJob(store, analyst, job);
      if (before.state === 'cancelled') return viewOf(before);
      const cancelled = await changes.apply({ job }, { kind: 'cancel' });
      if (cancelled === undefined) throw new AppError('job_finished', 'the job has ended already');
      poke();
      return viewOf(cancelled);
    },
    remove: async (analyst, job) => {
      await ownJob(store, analyst, job);
      if (!(await store.jobs.remove(job))) throw new AppError('job_not_finished', 'the job has not ended yet');
      await deps.garbage.collect();
      poke();
    },
    report: async (analyst, job) => {
      const record = await ownJob(store, analyst, job);
      if (!isEnded(record)) throw new AppError('job_not_finished', 'there is a report when the job has ended');
      if (record.report === undefined) throw new AppError('not_found', 'the job ended without a report');
      return openBlob(deps.blobs.open({ kind: 'report', job, attempt: record.attempt }));
    },
    output: async (analyst, job, output) => {
      const record = await ownJob(store, analyst, job);
      if (record.report === undefined) throw new AppError('not_found', 'nothing was published');
      return openBlob(deps.blobs.open({ kind: 'output', job, attempt: record.attempt, output }));
    }
  };
}

async function openBlob(blob: Promise<StoredBlob | undefined>): Promise<StoredBlob> {
  const found = await blob;
  if (found === undefined) throw new AppError('not_found', 'no such output');
  return found;
}

async function ownJob(store: ServerStore, analyst: Thumbprint, job: Digest): Promise<JobRecord> {
  const record = await store.jobs.find(job);
  if (record?.analyst !== analyst) throw new AppError('not_found', 'no such job');
  return record;
}

async function detailedView(store: ServerStore, job: JobRecord): Promise<JobView> {
  const [outputs, attempt] = await Promise.all([store.attempts.outputs(job.job, job.attempt), store.attempts.find(job.job, job.attempt)]);
  return viewOf(job, { outputs, denials: isEnded(job) ? (attempt?.claim?.denials ?? []) : [] });
}

async function requireRunnable({ store, clock }: JobServiceDeps, manifest: Manifest): Promise<void> {
  if (Date.parse(manifest.notAfter) <= clock.now().getTime()) throw new AppError('manifest_expired', 'the manifest has expired already');
  for (const { name, asset } of manifest.inputs) {
    if ((await store.catalog.find(asset)) === undefined) throw new AppError('not_found', `the catalog does not list ${name}, or not this version of it`);
  }
}

async function submitVerified({ store, clock, maxLiveJobs, poke }: JobServiceDeps, manifest: Verified<Manifest>, key: string | undefined): Promise<JobRecord> {
  if (key !== undefined && !/^[\x21-\x7e]{1,128}$/.test(key)) throw new AppError('invalid_request', 'Idempotency-Key has at most 128 printable characters');
  const { payload, digest, jws } = manifest;
  const result = await store.jobs.submit({
    job: {
      job: digest,
      id: payload.id,
      analyst: payload.analyst,
      manifest: jws,
      bundle: payload.code.bundle,
      notAfter: new Date(payload.notAfter),
      maxAttempts: payload.maxAttempts
    },
    maxLiveJobs,
    now: clock.now(),
    // The digest of what is signed: the signature may be made anew, and it is the same request.
    ...(key === undefined ? {} : { idempotency: { key, bodyDigest: digest } })
  });
  if (!('job' in result)) throw refusalOf(result);
  poke();
  return result.job;
}

function refusalOf(result: Exclude<SubmitResult, { readonly job: JobRecord }>): AppError {
  switch (result.kind) {
    case 'conflict':
      return new AppError('idempotency_conflict', 'this key came with another manifest before');
    case 'bundle_missing':
      return new AppError('not_found', 'the bundle is not stored here', { hint: 'Store the bundle first, then submit the manifest.' });
    case 'too_many':
      return new AppError('rate_limited', 'too many of your jobs have not ended yet', { members: { retryAfterSeconds: 30 } });
    case 'name_taken':
      return new AppError('already_exists', 'the digest is too close to that of another job', { hint: 'Submit again: the new manifest has another digest.' });
    case 'being_deleted':
      return new AppError('state_conflict', 'what is left of this job is still being deleted', { members: { retryAfterSeconds: 2 } });
  }
}

async function listJobs({ store, cursors }: JobServiceDeps, analyst: Thumbprint, { limit, cursor, state }: ListRequest): Promise<{ jobs: JobView[]; next?: string }> {
  const scope = `jobs ${analyst} ${state ?? 'all'}`;
  const after = cursor === undefined ? undefined : cursors.readJob(scope, cursor);
  // One more than asked for tells whether there is a next page.
  const found = await store.jobs.list({ analyst, limit: limit + 1, ...(state === undefined ? {} : { state }), ...(after === undefined ? {} : { after }) });
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const views = page.map(job => viewOf(job));
  if (found.length <= limit || last === undefined) return { jobs: views };
  return { jobs: views, next: cursors.write(scope, { createdAt: last.createdAt.getTime(), job: last.job }) };
}
