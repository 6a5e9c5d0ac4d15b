import * as z from 'zod/mini';
import { CellCount, CatalogEntry, JobEvent, JobState, JobView } from '../objects/job.js';
import { Attempt, CompactJws, Count, Digest, Thumbprint } from '../objects/primitives.js';
import { Report } from '../objects/report.js';
import { defineRoute } from './route.js';

const JSON_BODY = 2 * 1024 * 1024;
const NumberText = z.string().check(z.regex(/^(0|[1-9][0-9]{0,14})$/));
const JobParams = z.strictObject({ job: Digest });
const AttemptParams = z.strictObject({ job: Digest, attempt: z.union([Attempt, z.string().check(z.regex(/^[1-9][0-9]?$|^100$/))]) });
const OutputParams = z.strictObject({ job: Digest, attempt: z.union([Attempt, z.string().check(z.regex(/^[1-9][0-9]?$|^100$/))]), output: z.union([Count, NumberText]) });
const none = { kind: 'none' } as const;
const json = <S extends z.ZodMiniType>(schema: S) => ({ kind: 'json', schema, maxBytes: JSON_BODY }) as const;
const reply = <S extends z.ZodMiniType>(schema: S) => ({ kind: 'json', status: 200, schema }) as const;
const bytes = { kind: 'bytes', status: 200 } as const;
const empty = { kind: 'empty', status: 204 } as const;

/** State of a service; `checks` says of each of its parts how it is, for people. */
export const Health = z.strictObject({ status: z.enum(['ok', 'failing']), checks: z.record(z.string(), z.string()) });

/** Progress of an attempt: counts and states only, since the operator reads it. */
export const Progress = z.strictObject({
  state: z.enum(['attesting', 'running', 'sealing']),
  cells: z.optional(CellCount)
});
export type Progress = z.infer<typeof Progress>;

/** The operator’s face for analysts, owners and runners (docs/protocol.md, section 6). What it hands out is signed or sealed, or its mere word. */
export const SERVER_ROUTES = {
  // analysts
  submitJob: defineRoute({
    id: 'submitJob', method: 'POST', path: '/v1/jobs', auth: 'analyst', headers: ['idempotency-key'],
    summary: 'Queue a job: its signed manifest and the sealed bundle.',
    // The bundle is stored first under its digest (putBundle), so that this body stays small.
    body: json(z.strictObject({ manifest: CompactJws })),
    response: { kind: 'json', status: 201, schema: JobView },
    errors: ['idempotency_conflict', 'manifest_expired', 'wrong_signer', 'not_found', 'invalid_object']
  }),
  putBundle: defineRoute({
    id: 'putBundle', method: 'PUT', path: '/v1/bundles/{digest}', auth: 'analyst', params: z.strictObject({ digest: Digest }),
    summary: 'Store a sealed bundle under its digest. Storing the same bytes again succeeds.',
    body: { kind: 'bytes', maxBytes: 80 * 1024 * 1024 }, response: empty,
    errors: ['digest_mismatch', 'payload_too_large', 'storage_full']
  }),
  listJobs: defineRoute({
    id: 'listJobs', method: 'GET', path: '/v1/jobs', auth: 'analyst',
    query: z.strictObject({
      limit: z.optional(z.union([z.int().check(z.gte(1), z.lte(200)), z.string().check(z.regex(/^([1-9]|[1-9][0-9]|1[0-9]{2}|200)$/))])),
      cursor: z.optional(z.string().check(z.maxLength(512))),
      state: z.optional(JobState)
    }),
    summary: 'The analyst’s own jobs, newest first, by keyset pages.', body: none,
    response: reply(z.strictObject({ jobs: z.array(JobView), next: z.optional(z.string()) })),
    errors: ['invalid_cursor']
  }),
  getJob: defineRoute({
    id: 'getJob', method: 'GET', path: '/v1/jobs/{job}', auth: 'analyst', params: JobParams, summary: 'One job.', body: none,
    response: reply(JobView), errors: ['not_found']
  }),
  cancelJob: defineRoute({
    id: 'cancelJob', method: 'POST', path: '/v1/jobs/{job}/cancellation', auth: 'analyst', params: JobParams,
    summary: 'Cancel a job that has not ended.', body: none, response: reply(JobView), errors: ['not_found', 'job_finished', 'state_conflict']
  }),
  deleteJob: defineRoute({
    id: 'deleteJob', method: 'DELETE', path: '/v1/jobs/{job}', auth: 'analyst', params: JobParams,
    summary: 'Delete a job that has ended, with its bundle, outputs and report.', body: none, response: empty,
    errors: ['not_found', 'job_not_finished']
  }),
  jobEvents: defineRoute({
    id: 'jobEvents', method: 'GET', path: '/v1/events', auth: 'analyst', headers: ['last-event-id'],
    summary: 'Every change of the analyst’s jobs, resumed after Last-Event-ID.', body: none,
    response: { kind: 'events', status: 200, schema: JobEvent }, errors: []
  }),
  getReport: defineRoute({
    id: 'getReport', method: 'GET', path: '/v1/jobs/{job}/report', auth: 'analyst', params: JobParams, summary: 'The report of the attempt that ended the job.',
    body: none, response: reply(Report), errors: ['not_found', 'job_not_finished']
  }),
  getOutput: defineRoute({
    id: 'getOutput', method: 'GET', path: '/v1/jobs/{job}/outputs/{output}', auth: 'analyst',
    params: z.strictObject({ job: Digest, output: z.union([Count, NumberText]) }), summary: 'One sealed output.', body: none, response: bytes, errors: ['not_found']
  }),
  getIndex: defineRoute({
    id: 'getIndex', method: 'GET', path: '/v1/jobs/{job}/index', auth: 'analyst', params: JobParams, summary: 'The sealed index of outputs.', body: none, response: bytes, errors: ['not_found']
  }),
  // owners and readers of the catalog
  publishAsset: defineRoute({
    id: 'publishAsset', method: 'POST', path: '/v1/assets', auth: 'owner', summary: 'List an asset in the catalog.',
    body: json(z.strictObject({ descriptor: CompactJws })), response: { kind: 'json', status: 201, schema: CatalogEntry },
    errors: ['wrong_signer', 'not_found', 'not_permitted']
  }),
  putAssetFile: defineRoute({
    id: 'putAssetFile', method: 'PUT', path: '/v1/asset-files/{digest}', auth: 'owner', params: z.strictObject({ digest: Digest }),
    summary: 'Store a sealed asset, or a mock, under its digest.', body: { kind: 'bytes', maxBytes: 1024 ** 4 }, response: empty,
    errors: ['digest_mismatch', 'payload_too_large', 'storage_full', 'not_permitted']
  }),
  listAssets: defineRoute({
    id: 'listAssets', method: 'GET', path: '/v1/assets', auth: 'none',
    query: z.strictObject({ owner: z.optional(Thumbprint), cursor: z.optional(z.string().check(z.maxLength(512))) }),
    summary: 'The catalog: the newest version of each asset. Readers verify each descriptor against the owners they pinned.', body: none,
    response: reply(z.strictObject({ assets: z.array(CatalogEntry), next: z.optional(z.string()) })), errors: ['invalid_cursor']
  }),
  getAssetFile: defineRoute({
    id: 'getAssetFile', method: 'GET', path: '/v1/asset-files/{digest}', auth: 'none', params: z.strictObject({ digest: Digest }),
    summary: 'A sealed asset, or a mock.', body: none, response: bytes, errors: ['not_found']
  }),
  // runners: before admission only what is signed or sealed
  getAttempt: defineRoute({
    id: 'getAttempt', method: 'GET', path: '/v1/jobs/{job}/attempts/{attempt}', auth: 'none', params: AttemptParams,
    summary: 'What a runner needs before it has shown itself: manifest and descriptors.', body: none,
    response: reply(z.strictObject({ manifest: CompactJws, descriptors: z.array(CompactJws) })), errors: ['not_found', 'attempt_stale']
  }),
  getBundle: defineRoute({
    id: 'getBundle', method: 'GET', path: '/v1/bundles/{digest}', auth: 'none', params: z.strictObject({ digest: Digest }), summary: 'A sealed bundle.', body: none, response: bytes, errors: ['not_found']
  }),
  admitRunner: defineRoute({
    id: 'admitRunner', method: 'POST', path: '/v1/jobs/{job}/attempts/{attempt}/admission', auth: 'runner', params: AttemptParams,
    summary: 'Bind the attempt to the session’s key, where the token verifies and names the launched instance.',
    body: json(z.strictObject({ session: z.string().check(z.maxLength(64 << 10)), tokens: z.tuple([CompactJws]) })), response: empty,
    errors: ['attestation_rejected', 'attempt_stale', 'session_mismatch', 'recipient_changed']
  }),
  postProgress: defineRoute({
    id: 'postProgress', method: 'POST', path: '/v1/jobs/{job}/attempts/{attempt}/progress', auth: 'runner', params: AttemptParams, summary: 'Counts and states.',
    body: json(Progress), response: reply(z.strictObject({ cancelled: z.boolean() })), errors: ['not_admitted', 'attempt_stale']
  }),
  putOutput: defineRoute({
    id: 'putOutput', method: 'PUT', path: '/v1/jobs/{job}/attempts/{attempt}/outputs/{output}', auth: 'runner', params: OutputParams, summary: 'One sealed output, created once.',
    body: { kind: 'bytes', maxBytes: 64 * 1024 ** 3 }, response: empty, errors: ['not_admitted', 'attempt_stale', 'already_exists', 'storage_full', 'digest_mismatch']
  }),
  putIndex: defineRoute({
    id: 'putIndex', method: 'PUT', path: '/v1/jobs/{job}/attempts/{attempt}/index', auth: 'runner', params: AttemptParams, summary: 'The sealed index, created once.',
    body: { kind: 'bytes', maxBytes: 64 * 1024 * 1024 }, response: empty, errors: ['not_admitted', 'attempt_stale', 'already_exists', 'storage_full', 'digest_mismatch']
  }),
  putReport: defineRoute({
    id: 'putReport', method: 'PUT', path: '/v1/jobs/{job}/attempts/{attempt}/report', auth: 'runner', params: AttemptParams, summary: 'The report, created once, after the outputs.',
    body: { kind: 'json', schema: Report, maxBytes: 16 * 1024 * 1024 }, response: reply(z.strictObject({ report: Digest })), errors: ['not_admitted', 'attempt_stale', 'already_exists', 'report_rejected']
  }),
  publishAttempt: defineRoute({
    id: 'publishAttempt', method: 'POST', path: '/v1/jobs/{job}/attempts/{attempt}/publication', auth: 'runner', params: AttemptParams,
    summary: 'The pointer: this report and its outputs are the job’s result.',
    body: json(z.strictObject({ report: Digest })), response: reply(JobView), errors: ['not_admitted', 'attempt_stale', 'not_found', 'report_rejected']
  }),
  failAttempt: defineRoute({
    id: 'failAttempt', method: 'POST', path: '/v1/jobs/{job}/attempts/{attempt}/failure', auth: 'runner', params: AttemptParams,
    summary: 'The attempt ends without a report: only a code, and for denials the brokers’ signed word.',
    body: json(z.strictObject({ code: z.string().check(z.regex(/^[a-z_]{1,64}$/)), denials: z.optional(z.array(CompactJws).check(z.maxLength(64))) })),
    response: empty, errors: ['attempt_stale']
  }),
  // everyone
  health: defineRoute({ id: 'health', method: 'GET', path: '/healthz', auth: 'none', summary: 'The process answers.', body: none, response: reply(Health), errors: [] }),
  ready: defineRoute({ id: 'ready', method: 'GET', path: '/readyz', auth: 'none', summary: 'Database, blob store and TEE backend answer.', body: none, response: reply(Health), errors: ['unavailable'] }),
  openapi: defineRoute({ id: 'openapi', method: 'GET', path: '/openapi.json', auth: 'none', summary: 'This table as OpenAPI 3.1.', body: none, response: reply(z.json()), errors: [] })
} as const;
