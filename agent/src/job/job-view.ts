import { AppError, SERVER_ROUTES, callRoute, type Digest, type JobView } from '@cloister/protocol';
import { serverOf, type Services } from '../services.js';
import type { StateFolder } from '../state-folder.js';
import { readJob, type KeptJob } from './job-folder.js';

/**
 * The operator's answer about a job, held to the job that was asked about: an answer about another, which ended long
 * ago perhaps, would else be taken for this one's. What this machine signed or noted itself is not taken from the answer.
 * @throws AppError wrong_job
 */
export async function requireJob(services: Services, state: StateFolder, { job, view }: { readonly job: Digest; readonly view: JobView }): Promise<JobView> {
  if (view.job !== job) throw new AppError('wrong_job', `asked about ${job}, the server answered about ${view.job}`);
  const kept = await readIfKept(services, state, job);
  if (kept === undefined) return view;
  return { ...view, id: kept.manifest.payload.id, createdAt: kept.record.createdAt };
}

/** What the server says about a job now. @throws AppError wrong_job | not_found */
export async function readJobView(services: Services, state: StateFolder, job: Digest): Promise<JobView> {
  return requireJob(services, state, { job, view: await callRoute(serverOf(services), SERVER_ROUTES.getJob, { params: { job } }) });
}

/** Undefined for a job that another machine sent with the same keys. */
async function readIfKept({ keys }: Services, state: StateFolder, job: Digest): Promise<KeptJob | undefined> {
  return readJob(state, job, keys.signer.thumbprint).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'not_found') return undefined;
    throw error;
  });
}
