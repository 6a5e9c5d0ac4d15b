import type { CatalogEntry, CompactJws, Digest, JobEvent, JobState, SubjectName, Thumbprint, UuidV7 } from '@cloister/protocol';
import type * as z from 'zod/mini';
import type { AttemptRecord, FailureClaim, JobRecord, JobVersion, JobWork } from '../jobs/job.js';
import type { JobChange, Outcome } from '../jobs/transitions.js';
import type { Garbage } from '../blobs/port.js';

export type SubjectName = z.infer<typeof SubjectName>;

/** All that the server remembers. Every method is one transaction: it happened whole, or not at all. */
export interface ServerStore {
  readonly jobs: JobStore;
  readonly attempts: AttemptStore;
  readonly catalog: CatalogStore;
  readonly files: FileStore;
  readonly events: EventLog;
  readonly proofs: ProofMemory;
  readonly secrets: SecretStore;
  /** @throws where the database does not answer */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface NewJob {
  readonly job: Digest;
  readonly id: UuidV7;
  readonly analyst: Thumbprint;
  readonly manifest: CompactJws;
  readonly bundle: Digest;
  readonly notAfter: Date;
  readonly maxAttempts: number;
}

export interface Submission {
  readonly job: NewJob;
  /** Absent: the manifest alone says whether it is the same submission. */
  readonly idempotency?: { readonly key: string; readonly bodyDigest: Digest };
  readonly maxLiveJobs: number;
  readonly now: Date;
}

export type SubmitResult =
  | { readonly kind: 'created' | 'same'; readonly job: JobRecord }
  /** The key came with another body before. */
  | { readonly kind: 'conflict' }
  | { readonly kind: 'bundle_missing' }
  | { readonly kind: 'too_many' }
  /** Another job would have the same instance names: the first 64 bits of the digests are equal. */
  | { readonly kind: 'name_taken' }
  /** What is left of an earlier submission of this manifest is still being deleted. */
  | { readonly kind: 'being_deleted' };

export interface JobPage {
  readonly analyst: Thumbprint;
  readonly state?: JobState;
  /** Only what is older than this in (createdAt, job), newest first. */
  readonly after?: { readonly createdAt: number; readonly job: Digest };
  readonly limit: number;
}

/** A live job with what the reconciler must know of it. */
export interface LiveJob {
  readonly job: JobRecord;
  readonly work?: JobWork;
  readonly claim?: FailureClaim;
}

export interface JobStore {
  /** Job, outbox row, idempotency row and event in one transaction. */
  submit(submission: Submission): Promise<SubmitResult>;
  find(job: Digest): Promise<JobRecord | undefined>;
  manifest(job: Digest): Promise<CompactJws | undefined>;
  list(page: JobPage): Promise<JobRecord[]>;
  /** Every job that has not ended, oldest first. */
  live(): Promise<LiveJob[]>;
  /**
   * Compare-and-set on (state, attempt, version), with the event and the outbox row; `begun` adds the row of an
   * attempt that this change begins. Undefined: somebody else changed the job.
   */
  change(from: JobVersion, to: JobChange, at: { readonly now: Date; readonly begun?: AttemptRecord }): Promise<JobRecord | undefined>;
  /** Puts a job's open work off. */
  postpone(job: Digest, work: JobWork): Promise<void>;
  /** The instance of this attempt exists, so its launch is no longer to be done. */
  recordLaunched(job: Digest, attempt: number): Promise<void>;
  /** Forgets an ended job, and writes down which blobs nobody needs any more. False: it has not ended. */
  remove(job: Digest): Promise<boolean>;
}

export interface StoredSubject {
  readonly name: SubjectName;
  readonly digest: Digest;
  readonly size: number;
}

export interface StoredReport {
  readonly digest: Digest;
  readonly outcome: Outcome;
}

export interface AttemptStore {
  find(job: Digest, attempt: number): Promise<AttemptRecord | undefined>;
  /** Binds the attempt to a key, once and for ever. */
  bind(job: Digest, attempt: number, binding: { readonly key: Thumbprint; readonly image: Digest }): Promise<'bound' | 'same' | 'other'>;
  /** Keeps the latest word of a runner that gave up. */
  claimFailure(job: Digest, attempt: number, claim: FailureClaim): Promise<void>;
  /** Create-only. The same digest again is `same`; `gone`: there is no such job any more. */
  addOutput(job: Digest, attempt: number, subject: StoredSubject): Promise<'added' | 'same' | 'other' | 'gone'>;
  /** Outputs in order, the index last. */
  outputs(job: Digest, attempt: number): Promise<StoredSubject[]>;
  addReport(job: Digest, attempt: number, report: StoredReport): Promise<'added' | 'same' | 'other' | 'gone'>;
  report(job: Digest, attempt: number): Promise<StoredReport | undefined>;
}

export interface CatalogPage {
  readonly owner?: Thumbprint;
  /** Only what comes after this in (owner, name). */
  readonly after?: { readonly owner: string; readonly name: string };
  readonly limit: number;
}

export interface NewAsset extends CatalogEntry {
  readonly name: string;
  readonly version: number;
}

export interface CatalogStore {
  /** `other`: this version of the asset is listed with another descriptor. */
  add(asset: NewAsset, now: Date): Promise<'added' | 'same' | 'other'>;
  find(asset: Digest): Promise<CatalogEntry | undefined>;
  /** The newest version of each asset, by owner and name. */
  list(page: CatalogPage): Promise<NewAsset[]>;
}

export interface FileRecord {
  readonly kind: 'bundle' | 'asset';
  readonly digest: Digest;
  readonly size: number;
  readonly by: Thumbprint;
}

/** Which bundles and asset files are stored whole, and which blobs are to go. */
export interface FileStore {
  add(file: FileRecord, now: Date): Promise<void>;
  find(kind: FileRecord['kind'], digest: Digest): Promise<FileRecord | undefined>;
  /** Bytes of bundles that this analyst stored and no job uses yet. */
  unusedBundleBytes(by: Thumbprint): Promise<number>;
  /** Forgets bundles that no job uses and that nobody stored since `before`, and writes their blobs down to go. */
  retireUnusedBundles(before: Date): Promise<void>;
  /** Outbox rows for blobs to delete. */
  garbage(limit: number): Promise<Garbage[]>;
  /** True where it is still nobody's, so that it may be deleted now. */
  isGarbage(garbage: Garbage): Promise<boolean>;
  collected(garbage: Garbage): Promise<void>;
}

export interface EventLog {
  /** Events of one analyst after a sequence number, in order. */
  after(analyst: Thumbprint, seq: number, limit: number): Promise<JobEvent[]>;
  last(): Promise<number>;
  /** Forgets events that are older. */
  prune(before: Date): Promise<void>;
}

/** Remembers proofs' ids for as long as they could be used again. */
export interface ProofMemory {
  /** False: it was used before. */
  remember(id: string, until: Date, now: Date): Promise<boolean>;
}

export interface SecretStore {
  /** 32 random bytes in base64url that stay the same for the life of the store. */
  get(name: 'cursor' | 'server'): Promise<string>;
}
