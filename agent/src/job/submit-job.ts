import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod/mini';
import {
  AppError,
  Digest,
  SERVER_ROUTES,
  callRoute,
  createId,
  digestOfJson,
  jcs,
  parseJson,
  toTime,
  type JobView
} from '@cloister/protocol';
import { createPrivateFile, retry } from '@cloister/kit';
import { serverOf, type Services } from '../services.js';
import type { StateFolder } from '../state-folder.js';
import { requireConsent } from './ask-brokers.js';
import type { Draft, Plan } from './draft-job.js';
import { keepJob, readJob, readKeptBundle, type KeptJob } from './job-folder.js';
import { requireJob } from './job-view.js';

const Submission = z.strictObject({ v: z.literal(1), request: Digest, job: Digest });

/** What makes two requests under one idempotency key the same: what runs, on what, for what, how long. */
function requestOf(plan: Plan): Digest {
  return digestOfJson({ code: plan.made.code, inputs: plan.inputs.map(input => input.asset), custodians: plan.custodians, ...plan.terms });
}

const submissionPath = (state: StateFolder, key: string): string => join(state.submissions, `${createHash('sha256').update(key).digest('hex')}.json`);

/**
 * The job that was made under this key before. Each draft is sealed and signed anew, so without this memory a second
 * submit under one key would be another job, or another body for the server to refuse.
 * @throws AppError idempotency_conflict where the request is another one
 */
export async function findSubmission(state: StateFolder, key: string, plan: Plan, services: Services): Promise<KeptJob | undefined> {
  const bytes = await readFile(submissionPath(state, key)).catch(() => undefined);
  if (bytes === undefined) return undefined;
  const submission = Submission.parse(parseJson(bytes));
  if (submission.request !== requestOf(plan)) throw new AppError('idempotency_conflict', 'this key was used for another notebook, other inputs or other terms');
  return readJob(state, submission.job, services.keys.signer.thumbprint);
}

export interface SubmitOptions {
  readonly idempotencyKey?: string;
}

/**
 * Keeps the job, then sends it.
 * @throws AppError asset_denied | unavailable where a broker did not agree: then nothing is kept or sent; of the server: what
 *   was kept can be sent again
 */
export async function submitDraft(services: Services, state: StateFolder, submission: { readonly draft: Draft; readonly plan: Plan }, options: SubmitOptions): Promise<JobView> {
  const { draft, plan } = submission;
  requireConsent(draft.decisions);
  const job = draft.manifest.digest;
  const idempotencyKey = options.idempotencyKey ?? createId(services.clock.now());
  await keepJob(
    state,
    {
      v: 1,
      job,
      notebook: draft.made.notebook,
      createdAt: toTime(services.clock.now()),
      purpose: draft.terms.purpose,
      inputs: draft.inputs.map(({ name, asset }) => ({ name, asset })),
      files: draft.made.files.map(({ path, size, digest, why }) => ({ path, size, digest, why })),
      idempotencyKey,
      statements: []
    },
    { manifest: draft.manifest.jws, bundle: draft.bundle.bytes }
  );
  if (options.idempotencyKey !== undefined) {
    await createPrivateFile(submissionPath(state, options.idempotencyKey), jcs({ v: 1, request: requestOf(plan), job }));
  }
  return sendKept(services, state, await readJob(state, job, services.keys.signer.thumbprint));
}

/** Sends a kept job, or sends it again: the server knows it by its key and by its digest. */
export async function sendKept(services: Services, state: StateFolder, kept: KeptJob): Promise<JobView> {
  const server = serverOf(services);
  const bundle = await readKeptBundle(state, kept);
  const digest = kept.manifest.payload.code.bundle;
  const headers = { 'idempotency-key': kept.record.idempotencyKey };
  const view = await retry(
    async () => {
      await callRoute(server, SERVER_ROUTES.putBundle, { params: { digest }, body: once(bundle), stream: { digest, size: bundle.length } });
      return callRoute(server, SERVER_ROUTES.submitJob, { body: { manifest: kept.manifest.jws }, headers });
    },
    { attempts: 4, clock: services.clock }
  );
  return requireJob(services, state, { job: kept.manifest.digest, view });
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, undefined> {
  yield bytes;
}
