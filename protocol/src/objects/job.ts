import * as z from 'zod/mini';
import { ERRORS, isErrorCode } from '../errors.js';
import { CompactJws, Count, Digest, Thumbprint, Time, UuidV7 } from './primitives.js';

/** All states, in the order in which an attempt goes through them; the last four are ends. */
export const JOB_STATES = [
  'queued',
  'waiting',
  'launching',
  'attesting',
  'running',
  'sealing',
  'succeeded',
  'failed',
  'cancelled',
  'lost'
] as const;

/**
 * `queued` stored; `waiting` an owner has yet to approve; `launching` a TEE is asked for; `attesting` the runner
 * shows itself and gets keys; `running`; `sealing` outputs are sealed and the report attested; then one of the
 * four ends. `lost`: the runner vanished and no attempt is left.
 */
export const JobState = z.enum(JOB_STATES);
export type JobState = z.infer<typeof JobState>;

/** The ends: nothing follows them. */
export const TERMINAL_STATES: ReadonlySet<JobState> = new Set(['succeeded', 'failed', 'cancelled', 'lost']);

/** Code cells of the notebook that ran, and all of them. */
export const CellCount = z.strictObject({ done: Count, total: Count });

/** A code of the error table, or one that a newer server knows: it is shown to people, so it cannot be any text. */
const JobCode = z.string().check(z.maxLength(64), z.regex(/^[a-z_]{1,64}$/));

/** A job as the server tells its analyst. Everything here is the operator's word; the report is not. */
export const JobView = z.strictObject({
  job: Digest,
  id: UuidV7,
  state: JobState,
  attempt: Count,
  version: Count,
  createdAt: Time,
  updatedAt: Time,
  /** Code of the error that ended the job, or that it waits for. */
  code: z.optional(JobCode),
  cells: z.optional(CellCount),
  report: z.optional(Digest),
  outputs: z.optional(z.array(z.strictObject({ name: z.string(), digest: Digest, size: Count }))),
  /** Where brokers denied: their signed word, as the runner handed it on. Only in the reply about one job. */
  denials: z.optional(z.array(CompactJws))
});
export type JobView = z.infer<typeof JobView>;

/**
 * Whether sending the same code again may end otherwise: it was lost or cancelled, or failed for a reason that passes.
 * What the notebook did wrong, or its time limit, would end it in the same way again.
 */
export function retryMayHelp({ state, code }: JobView): boolean {
  if (state === 'lost' || state === 'cancelled') return true;
  return state === 'failed' && code !== undefined && isErrorCode(code) && ERRORS[code].retry;
}

/** Server-sent event: one change of one job. The event's id is `seq`. */
export const JobEvent = z.strictObject({
  seq: Count,
  job: Digest,
  state: JobState,
  attempt: Count,
  version: Count,
  time: Time,
  code: z.optional(JobCode),
  cells: z.optional(CellCount)
});
export type JobEvent = z.infer<typeof JobEvent>;

/** An asset in the operator's catalog: an owner's signed word, which readers verify against their pinned owners. */
export const CatalogEntry = z.strictObject({ asset: Digest, owner: Thumbprint, descriptor: CompactJws });
export type CatalogEntry = z.infer<typeof CatalogEntry>;
