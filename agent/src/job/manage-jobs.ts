import {
  AppError,
  Digest,
  SERVER_ROUTES,
  callRoute,
  createId,
  toTime,
  type JobView,
  type Manifest,
  type RouteReply
} from '@cloister/protocol';
import type { Catalog, CatalogAsset } from '../catalog/catalog.js';
import { serverOf, type Services } from '../services.js';
import type { StateFolder } from '../state-folder.js';
import { askBrokers, requireConsent, type BrokerDecision, type JobParties } from './ask-brokers.js';
import { forgetJob, keepJob, listRecords, readJob, readKeptBundle } from './job-folder.js';
import { requireJob } from './job-view.js';
import { signRetry } from './sign-manifest.js';
import { sendKept } from './submit-job.js';

export type JobPage = RouteReply<typeof SERVER_ROUTES.listJobs>;

export interface PageOptions {
  readonly limit?: number;
  readonly cursor?: string;
}

export async function listJobs(services: Services, options: PageOptions): Promise<JobPage> {
  return callRoute(serverOf(services), SERVER_ROUTES.listJobs, { query: { ...options } });
}

/** @throws AppError wrong_job | job_finished */
export async function cancelJob(services: Services, state: StateFolder, job: Digest): Promise<JobView> {
  return requireJob(services, state, { job, view: await callRoute(serverOf(services), SERVER_ROUTES.cancelJob, { params: { job } }) });
}

/** Deletes at the server, then here. A job that the server does not know any more is forgotten here all the same. */
export async function deleteJob(services: Services, state: StateFolder, job: Digest): Promise<void> {
  try {
    await callRoute(serverOf(services), SERVER_ROUTES.deleteJob, { params: { job } });
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'not_found') throw error;
    await readJob(state, job, services.keys.signer.thumbprint);
  }
  await forgetJob(state, job);
}

/**
 * The digest that a person means: all of it, `latest`, or enough of its hex to be the only one. Jobs that this machine
 * sent are known without asking anybody; others are asked of the server.
 * @throws AppError not_found | usage where several begin like this
 */
export async function resolveJob(services: Services, state: StateFolder, reference: string): Promise<Digest> {
  const whole = Digest.safeParse(reference);
  if (whole.success) return whole.data;
  const own = (await listRecords(state)).map(record => record.job);
  if (reference === 'latest') {
    const latest = own[0] ?? (await listJobs(services, { limit: 1 })).jobs[0]?.job;
    if (latest === undefined) throw new AppError('not_found', 'you have not submitted any job yet');
    return latest;
  }
  const hex = reference.replace(/^sha256:/, '').toLowerCase();
  if (!/^[0-9a-f]{4,64}$/.test(hex)) throw new AppError('usage', `${reference} names no job`, { hint: 'Give at least four characters of its id as `cloister jobs` shows it, or `latest`.' });
  const begins = (job: Digest): boolean => job.startsWith(`sha256:${hex}`);
  const mine = own.filter(begins);
  const found = mine.length > 0 ? mine : (await listJobs(services, { limit: 200 })).jobs.map(job => job.job).filter(begins);
  const [first, second] = found;
  if (first === undefined) throw new AppError('not_found', `no job of yours begins with ${reference}`);
  if (second !== undefined) throw new AppError('usage', `${found.length} jobs begin with ${reference}`, { hint: 'Give more of its id.' });
  return first;
}

export interface Retried {
  readonly view: JobView;
  readonly decisions: readonly BrokerDecision[];
}

/** The kept bundle as a new job: same code, same versions of the same inputs. Brokers are asked first, as for any job. */
export async function retryJob(services: Services, state: StateFolder, job: Digest, catalog: Catalog): Promise<Retried> {
  const analyst = services.keys.signer.thumbprint;
  const kept = await readJob(state, job, analyst);
  const bundle = await readKeptBundle(state, kept);
  const manifest = await signRetry(services, kept.manifest.payload);
  const decisions = await askBrokers(services, manifest.jws, partiesOf(kept.manifest.payload, catalog));
  requireConsent(decisions);
  const now = services.clock.now();
  const { v, notebook, purpose, inputs, files } = kept.record;
  await keepJob(
    state,
    { v, notebook, purpose, inputs, files, job: manifest.digest, createdAt: toTime(now), idempotencyKey: createId(now), retryOf: job, statements: [] },
    { manifest: manifest.jws, bundle }
  );
  return { view: await sendKept(services, state, await readJob(state, manifest.digest, analyst)), decisions };
}

function partiesOf(manifest: Manifest, catalog: Catalog): JobParties {
  const inputs = manifest.inputs.map(({ name, asset }): CatalogAsset => {
    const found = catalog.assets.find(known => known.asset === asset);
    if (found === undefined) throw new AppError('asset_unknown', `${name} is not published in this version any more`, { hint: 'Submit the notebook again; it takes the newest version.' });
    return found;
  });
  const custodians = manifest.code.custodians.map(({ broker, url }) => {
    const known = catalog.assets.find(asset => asset.descriptor.custodians[0].broker === broker);
    return { owner: known?.owner ?? url, broker, url };
  });
  return { inputs, custodians };
}
