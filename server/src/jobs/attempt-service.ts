import { AppError, ERRORS, MANIFEST, isErrorCode, jcsBytes, peekPayload, SubjectName, type CompactJws, type Digest, type JobView, type Progress, type Report, type Thumbprint } from '@cloister/protocol';
import type { BlobStore } from '../blobs/port.js';
import type { ServerStore } from '../store/port.js';
import { admitRunner, type AdmissionDeps, type AdmissionRequest } from './admission.js';
import type { AttemptRecord, JobRecord } from './job.js';
import { viewOf } from './job-view.js';
import { checkReport } from './report-intake.js';
import { isEnded } from './transitions.js';

export interface AttemptServiceDeps extends AdmissionDeps {
  readonly store: ServerStore;
  readonly blobs: BlobStore;
  readonly poke: () => void;
}

export interface AttemptRef {
  readonly job: Digest;
  readonly attempt: number;
}

export interface RunnerFailure {
  readonly code: string;
  readonly denials: readonly CompactJws[];
}

export interface Upload {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** What the proof says the bytes are. */
  readonly digest: Digest;
}

/** What runners may do. Only the newest attempt's word counts, and but for its first steps only by the admitted key. */
export interface AttemptService {
  readonly describe: (ref: AttemptRef) => Promise<{ manifest: CompactJws; descriptors: CompactJws[] }>;
  readonly admit: (ref: AttemptRef, request: AdmissionRequest) => Promise<void>;
  readonly progress: (ref: AttemptRef, signer: Thumbprint, progress: Progress) => Promise<{ cancelled: boolean }>;
  readonly putOutput: (ref: AttemptRef, signer: Thumbprint, output: number | 'index', upload: Upload) => Promise<void>;
  readonly putReport: (ref: AttemptRef, signer: Thumbprint, report: Report) => Promise<Digest>;
  readonly publish: (ref: AttemptRef, signer: Thumbprint, report: Digest) => Promise<JobView>;
  readonly fail: (ref: AttemptRef, signer: Thumbprint, failure: RunnerFailure) => Promise<void>;
}

const MAX_OUTPUTS = 10_000;

export function createAttemptService(deps: AttemptServiceDeps): AttemptService {
  const { store, changes, poke } = deps;
  return {
    describe: async ref => describe(store, await currentJob(store, ref)),
    admit: async (ref, request) => {
      requireLive(await currentJob(store, ref));
      await admitRunner(deps, await attemptOf(store, ref), request);
    },
    progress: async (ref, signer, { state, cells }) => {
      const { job } = await admitted(store, ref, signer);
      if (job.state === 'cancelled') return { cancelled: true };
      requireLive(job);
      await changes.apply(ref, { kind: 'progress', state, ...(cells === undefined ? {} : { cells }) });
      return { cancelled: false };
    },
    putOutput: async (ref, signer, output, upload) => {
      requireLive((await admitted(store, ref, signer)).job);
      await putOutput(deps, ref, output, upload);
    },
    putReport: async (ref, signer, report) => {
      const { job, attempt } = await admitted(store, ref, signer);
      requireLive(job);
      return putReport(deps, attempt, report);
    },
    publish: async (ref, signer, report) => {
      const { job } = await admitted(store, ref, signer);
      const published = job.report === report ? job : await publish(deps, ref, report);
      poke();
      return viewOf(published, { outputs: await store.attempts.outputs(ref.job, ref.attempt) });
    },
    fail: async (ref, signer, failure) => {
      await failAttempt(deps, ref, { signer, failure });
      poke();
    }
  };
}

async function currentJob(store: ServerStore, { job, attempt }: AttemptRef): Promise<JobRecord> {
  const record = await store.jobs.find(job);
  if (record === undefined || attempt > record.attempt) throw new AppError('not_found', 'no such attempt');
  if (attempt < record.attempt) throw new AppError('attempt_stale', `attempt ${record.attempt} runs`);
  return record;
}

async function attemptOf(store: ServerStore, { job, attempt }: AttemptRef): Promise<AttemptRecord> {
  const record = await store.attempts.find(job, attempt);
  if (record === undefined) throw new AppError('not_found', 'no such attempt');
  return record;
}

async function admitted(store: ServerStore, ref: AttemptRef, signer: Thumbprint): Promise<{ job: JobRecord; attempt: AttemptRecord }> {
  const job = await currentJob(store, ref);
  const attempt = await attemptOf(store, ref);
  if (attempt.key !== signer) throw new AppError('not_admitted', 'the request is not by the key of an admitted session');
  return { job, attempt };
}

function requireLive(job: JobRecord): void {
  if (isEnded(job)) throw new AppError('attempt_stale', 'the job has ended');
}

async function describe(store: ServerStore, job: JobRecord): Promise<{ manifest: CompactJws; descriptors: CompactJws[] }> {
  requireLive(job);
  const manifest = await store.jobs.manifest(job.job);
  if (manifest === undefined) throw new AppError('not_found', 'no such attempt');
  // Verified when it was submitted.
  const { payload } = peekPayload(MANIFEST, manifest);
  const entries = await Promise.all(payload.inputs.map(async input => store.catalog.find(input.asset)));
  return { manifest, descriptors: entries.flatMap(entry => (entry === undefined ? [] : [entry.descriptor])) };
}

async function putOutput({ store, blobs }: AttemptServiceDeps, ref: AttemptRef, output: number | 'index', upload: Upload): Promise<void> {
  if (output !== 'index' && output >= MAX_OUTPUTS) throw new AppError('invalid_request', `a run has at most ${MAX_OUTPUTS} outputs`);
  const name = SubjectName.parse(output === 'index' ? 'index' : `output/${output}`);
  const { size } = await blobs.put({ kind: 'output', ...ref, output }, upload.bytes, upload.digest);
  switch (await store.attempts.addOutput(ref.job, ref.attempt, { name, digest: upload.digest, size })) {
    case 'added':
    case 'same':
      return;
    case 'other':
      throw new AppError('already_exists', `${name} was stored before, with other bytes`);
    case 'gone':
      // Deleted meanwhile, and this file after its folder was.
      await blobs.delete({ kind: 'job', job: ref.job });
      throw new AppError('attempt_stale', 'the job was deleted');
  }
}

async function putReport(deps: AttemptServiceDeps, attempt: AttemptRecord, report: Report): Promise<Digest> {
  const { store, blobs } = deps;
  const checked = await checkReport(deps, attempt, report);
  const ref = { job: attempt.job, attempt: attempt.attempt };
  await blobs.put({ kind: 'report', ...ref }, once(jcsBytes(report)), checked.digest);
  switch (await store.attempts.addReport(ref.job, ref.attempt, checked)) {
    case 'added':
    case 'same':
      return checked.digest;
    case 'other':
      throw new AppError('already_exists', 'another report was stored for this attempt');
    case 'gone':
      await blobs.delete({ kind: 'job', job: ref.job });
      throw new AppError('attempt_stale', 'the job was deleted');
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, undefined> {
  yield bytes;
}

/** One transaction sets the end and the pointer. */
async function publish({ store, changes }: AttemptServiceDeps, ref: AttemptRef, digest: Digest): Promise<JobRecord> {
  const report = await store.attempts.report(ref.job, ref.attempt);
  if (report?.digest !== digest) throw new AppError('not_found', 'no such report was stored for this attempt');
  const published = await changes.apply(ref, { kind: 'publish', report: digest, outcome: report.outcome });
  if (published === undefined) throw new AppError('attempt_stale', 'the job has ended, or went on with another attempt');
  return published;
}

/**
 * An admitted runner's word ends its attempt. Before admission anybody could have said it, so it is kept, and counts
 * as the reason once the backend says that the instance has ended.
 */
async function failAttempt({ store, changes }: AttemptServiceDeps, ref: AttemptRef, { signer, failure }: { signer: Thumbprint; failure: RunnerFailure }): Promise<void> {
  requireLive(await currentJob(store, ref));
  const { key } = await attemptOf(store, ref);
  if (key !== undefined && key !== signer) throw new AppError('not_admitted', 'another key was admitted for this attempt');
  const code = isErrorCode(failure.code) ? failure.code : 'runner_failed';
  await store.attempts.claimFailure(ref.job, ref.attempt, { code, denials: failure.denials });
  if (key === signer) await changes.apply(ref, { kind: 'end_attempt', code, again: ERRORS[code].retry });
}
