import type { CompactJws, Digest, JobState, Thumbprint, UuidV7 } from '@cloister/protocol';
import type { Generated, Selectable } from 'kysely';
import type { SubjectName } from '../port.js';

/** Tables of migrations/, with the types of what we put in. Times are milliseconds. */
export interface Tables {
  jobs: JobsTable;
  attempts: AttemptsTable;
  outbox: OutboxTable;
  garbage: GarbageTable;
  idempotency: IdempotencyTable;
  outputs: OutputsTable;
  reports: ReportsTable;
  events: EventsTable;
  assets: AssetsTable;
  files: FilesTable;
  secrets: SecretsTable;
}

interface CellColumns {
  cells_done: number | null;
  cells_total: number | null;
}

export interface JobsTable extends CellColumns {
  job: Digest;
  short: string;
  id: UuidV7;
  analyst: Thumbprint;
  manifest: CompactJws;
  bundle: Digest;
  not_after: number;
  max_attempts: number;
  state: JobState;
  attempt: number;
  version: number;
  created_at: number;
  updated_at: number;
  code: string | null;
  report: Digest | null;
}

export interface AttemptsTable {
  job: Digest;
  attempt: number;
  request_id: string;
  max_run_seconds: number;
  created_at: number;
  key: Thumbprint | null;
  image: Digest | null;
  claim_code: string | null;
  /** JSON list of compact JWS. */
  claim_denials: string | null;
}

interface OutboxTable {
  seq: Generated<number>;
  kind: 'start' | 'launch';
  job: Digest;
  not_before: number;
  tries: number;
}

interface GarbageTable {
  seq: Generated<number>;
  kind: 'bundle' | 'job';
  digest: Digest;
}

interface IdempotencyTable {
  analyst: Thumbprint;
  key: string;
  body: Digest;
  job: Digest;
}

interface OutputsTable {
  job: Digest;
  attempt: number;
  position: number;
  name: SubjectName;
  digest: Digest;
  size: number;
}

interface ReportsTable {
  job: Digest;
  attempt: number;
  digest: Digest;
  failure: string | null;
}

export interface EventsTable extends CellColumns {
  seq: Generated<number>;
  analyst: Thumbprint;
  job: Digest;
  state: JobState;
  attempt: number;
  version: number;
  time: number;
  code: string | null;
}

interface AssetsTable {
  asset: Digest;
  owner: Thumbprint;
  name: string;
  version: number;
  descriptor: CompactJws;
  added_at: number;
}

interface FilesTable {
  kind: 'bundle' | 'asset';
  digest: Digest;
  size: number;
  stored_by: Thumbprint;
  stored_at: number;
}

interface SecretsTable {
  name: string;
  value: string;
}

export type JobRow = Omit<Selectable<JobsTable>, 'manifest' | 'short'>;
export type AttemptRow = Selectable<AttemptsTable>;
export type EventRow = Selectable<EventsTable>;
