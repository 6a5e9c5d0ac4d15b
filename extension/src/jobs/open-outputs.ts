import type { TranslationBundle } from '@jupyterlab/translation';
import { AGENT_ROUTES, AppError, type Digest } from '@cloister/protocol';
import type { IOwnJob } from '../model/own-job';
import { problemOf } from '../model/problem';
import type { IAgent, IJobs } from '../tokens';
import { checksOf, type OpenOutcome } from './open-outcome';

export interface IOpenOutputsDeps {
  readonly agent: Pick<IAgent, 'call'>;
  readonly jobs: Pick<IJobs, 'fetch'>;
  readonly trans: TranslationBundle;
  /** Whether there is a file at a path of the file browser. */
  readonly exists: (path: string) => Promise<boolean>;
  /** Opens a file of the file browser for reading, without trusting it. */
  readonly open: (path: string) => Promise<void>;
}

/**
 * Has the agent verify a job's report and unseal its outputs, then opens the executed notebook. Outputs that were opened
 * before are shown where they lie; nothing is written over. Never throws: what went wrong is an outcome.
 */
export async function openOutputs(deps: IOpenOutputsDeps, job: Digest): Promise<OpenOutcome> {
  try {
    const own = await deps.jobs.fetch(job);
    const { results } = own;
    // Only what this machine unsealed itself: some other folder of that name could hold anything.
    if (results !== undefined) return await reopen(deps, own, results);
    return await unseal(deps, job);
  } catch (error) {
    const checks = error instanceof AppError ? checksOf(error.members['checks']) : [];
    const problem = problemOf(error, deps.trans);
    // Here the checks stand below; the table's hint is for the command line.
    const hint = checks.length === 0 ? problem.hint : deps.trans.__('Do not rely on this job. Keep its report, and show it to the operator and the data owners.');
    return { kind: 'refused', problem: { ...problem, hint }, checks };
  }
}

async function reopen(deps: IOpenOutputsDeps, own: IOwnJob, folder: string): Promise<OpenOutcome> {
  const notebook = `${folder}/${own.notebook?.split('/').at(-1) ?? ''}`;
  if (isReachable(notebook) && (await deps.exists(notebook))) await deps.open(notebook);
  return { kind: 'reopened', folder };
}

async function unseal(deps: IOpenOutputsDeps, job: Digest): Promise<OpenOutcome> {
  const { verdict, folder, files } = await deps.agent.call(AGENT_ROUTES.openResults, { params: { job }, body: {} });
  // From now on the job knows its folder and its report.
  await deps.jobs.fetch(job).catch(() => undefined);
  const notebook = files.find(file => file.kind === 'notebook');
  const path = `${folder}/${notebook?.path ?? ''}`;
  // Unsealed is unsealed: a viewer that fails does not make it undone.
  if (notebook !== undefined && isReachable(path)) await deps.open(path).catch(() => undefined);
  return { kind: 'opened', verdict, folder, files: files.length };
}

/** Whether the file browser can get there: the agent names what is outside of the workspace by its absolute path. */
export function isReachable(path: string): boolean {
  return !path.startsWith('/') && !path.split('/').includes('..');
}
