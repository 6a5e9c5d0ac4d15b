import {
  AppError,
  SERVER_ROUTES,
  callRoute,
  type AgeRecipient,
  type AppraisalPolicy,
  type Digest,
  type JobEvent,
  type JobView,
  type ReportResult,
  type Thumbprint,
  type Transport,
  type Trust
} from '@cloister/protocol';
import { systemClock, type Clock } from '@cloister/kit';
import { connectGateway } from './connect-gateway.js';
import { findAsset, readCatalog, type Catalog } from './catalog/catalog.js';
import { fetchMock, type MockResult } from './catalog/fetch-mocks.js';
import { draftJob, planJob, type Draft, type DraftRequest, type Plan } from './job/draft-job.js';
import { denialsOfJob } from './job/denials-of-job.js';
import { createJobIndex, findJobs, type FindOptions } from './job/find-jobs.js';
import { listRecords, readJob, readRecords, type JobRecord, type KeptJob } from './job/job-folder.js';
import { cancelJob, deleteJob, listJobs, resolveJob, retryJob, type JobPage, type PageOptions, type Retried } from './job/manage-jobs.js';
import { findSubmission, sendKept, submitDraft, type SubmitOptions } from './job/submit-job.js';
import { readJobView } from './job/job-view.js';
import { openEvents, watchEvents, watchJob } from './job/watch-jobs.js';
import type { OpenEvents } from './events/keep-open.js';
import { openKeys } from './keys/analyst-keys.js';
import { openResults, type OpenedResults } from './results/open-results.js';
import { verifyReportFile } from './results/verify-report-file.js';
import { backgroundServerOf, serverOf, type Services } from './services.js';
import { ensureStateFolder, stateFolderOf, type StateFolder } from './state-folder.js';
import { defaultGateway, readAppraisal, readSettings, readTrust } from './trust/trust-files.js';

export interface AgentOptions {
  /** Directory of all of Cloister's state; the agent's own lies in `agent/` below it. */
  readonly home: string;
  readonly transport: Transport;
  /** For what nobody asked for just now; the same where left out. */
  readonly background?: Transport;
  readonly serverUrl: string;
  readonly clock: Clock;
}

export interface MockRequest {
  /** The folder that gets `mocks/`. */
  readonly folder: string;
  /** All that are published, where left out. */
  readonly names?: readonly string[];
  /** Also where another file is there already. */
  readonly replace?: boolean;
}

/** Everything that the analyst's machine does, for the command line and for JupyterLab. */
export interface Agent {
  readonly analyst: Thumbprint;
  readonly recipient: AgeRecipient;
  readonly serverUrl: string;
  /** Where trust.json and appraisal.json lie. */
  readonly folder: string;
  readonly trust: () => Promise<Trust>;
  readonly appraisal: () => Promise<AppraisalPolicy | undefined>;
  readonly catalog: () => Promise<Catalog>;
  readonly fetchMocks: (request: MockRequest) => Promise<MockResult[]>;
  /** What would be sent. */
  readonly plan: (request: DraftRequest) => Promise<Plan>;
  /** Sealed, signed, and with what every broker says to it. */
  readonly draft: (plan: Plan) => Promise<Draft>;
  /** The job that was made under this idempotency key before, which `resend` sends again. */
  readonly findSubmission: (key: string, plan: Plan) => Promise<KeptJob | undefined>;
  /** Sends what every broker agreed to. */
  readonly submit: (submission: { readonly plan: Plan; readonly draft: Draft }, options?: SubmitOptions) => Promise<JobView>;
  readonly resend: (kept: KeptJob) => Promise<JobView>;
  readonly jobs: (options?: PageOptions) => Promise<JobPage>;
  /** Those of this machine's jobs that match, newest first. */
  readonly findJobs: (options: FindOptions) => Promise<JobPage>;
  readonly records: () => Promise<JobRecord[]>;
  /** Of these jobs, where this machine sent them. */
  readonly recordsOf: (jobs: readonly Digest[]) => Promise<Map<Digest, JobRecord>>;
  readonly job: (job: Digest) => Promise<JobView>;
  readonly kept: (job: Digest) => Promise<KeptJob>;
  readonly resolve: (reference: string) => Promise<Digest>;
  readonly watch: (job: Digest, signal: AbortSignal) => AsyncGenerator<JobView, undefined>;
  /** Why brokers denied a job, as sentences; none where none did. */
  readonly denials: (view: JobView) => Promise<string[]>;
  /** One connection to the server's events: `connected`, then each change, until it breaks. */
  readonly openEvents: OpenEvents;
  /** Tells the services that somebody is still here. */
  readonly stillHere: () => Promise<void>;
  readonly events: (signal: AbortSignal, resumeAfter?: number) => AsyncGenerator<JobEvent, undefined>;
  readonly cancel: (job: Digest) => Promise<JobView>;
  readonly delete: (job: Digest) => Promise<void>;
  readonly retry: (job: Digest) => Promise<Retried>;
  readonly results: (job: Digest, options?: { readonly into?: string }) => Promise<OpenedResults>;
  readonly verify: (report: string, options?: { readonly outputs?: string }) => Promise<ReportResult>;
}

/** The agent as a library. Its keys are made here, where there are none yet. */
export async function createAgent({ home, transport, background = transport, serverUrl, clock }: AgentOptions): Promise<Agent> {
  const state = stateFolderOf(home);
  await ensureStateFolder(state);
  const keys = await openKeys(state.keys);
  const services: Services = { keys, transport, background, serverUrl, clock };
  const trust = (): Promise<Trust> => readTrust(state.trust);
  const appraisal = (): Promise<AppraisalPolicy | undefined> => readAppraisal(state.appraisal);
  const catalog = async (): Promise<Catalog> => readCatalog(serverOf(services), await trust(), state.seenAssets);
  return {
    analyst: keys.signer.thumbprint,
    recipient: keys.recipient,
    serverUrl,
    folder: state.root,
    trust,
    appraisal,
    catalog,
    fetchMocks: async request => fetchMocks(services, await catalog(), request),
    plan: request => planJob(request, catalog),
    draft: async plan => draftJob(services, plan, await appraisal()),
    ...jobOperations(services, state, catalog),
    results: async (job, options) =>
      openResults(services, state, await readJob(state, job, keys.signer.thumbprint), { trust: await trust(), policy: await appraisal(), ...options }),
    verify: async (report, options) => verifyReportFile(report, { trust: await trust(), policy: await appraisal(), now: clock.now(), ...options })
  };
}

type JobOperations = Pick<
  Agent,
  'findSubmission' | 'submit' | 'resend' | 'jobs' | 'findJobs' | 'records' | 'recordsOf' | 'job' | 'kept' | 'resolve' | 'denials' | 'watch' | 'openEvents' | 'stillHere' | 'events' | 'cancel' | 'delete' | 'retry'
>;

function jobOperations(services: Services, state: StateFolder, catalog: () => Promise<Catalog>): JobOperations {
  const index = createJobIndex(state);
  return {
    findSubmission: (key, plan) => findSubmission(state, key, plan, services),
    submit: (submission, options = {}) => submitDraft(services, state, submission, options),
    resend: kept => sendKept(services, state, kept),
    jobs: (options = {}) => listJobs(services, options),
    findJobs: options => findJobs(services, state, index, options),
    records: () => listRecords(state),
    recordsOf: jobs => readRecords(state, jobs),
    job: job => readJobView(services, state, job),
    kept: job => readJob(state, job, services.keys.signer.thumbprint),
    resolve: reference => resolveJob(services, state, reference),
    watch: (job, signal) => watchJob(services, { job, read: () => readJobView(services, state, job) }, signal),
    denials: view => readDenials(services, { state, catalog }, view),
    openEvents: async function* ({ signal, resumeAfter, asked }) {
      yield* openEvents((asked ? serverOf : backgroundServerOf)(services), signal, resumeAfter);
    },
    stillHere: async () => {
      await callRoute(backgroundServerOf(services), SERVER_ROUTES.health, {});
    },
    events: (signal, resumeAfter) => watchEvents(services, signal, resumeAfter),
    cancel: job => cancelJob(services, state, job),
    delete: job => deleteJob(services, state, job),
    retry: async job => retryJob(services, state, job, await catalog())
  };
}

interface DenialSources {
  readonly state: StateFolder;
  readonly catalog: () => Promise<Catalog>;
}

async function readDenials({ keys }: Services, { state, catalog }: DenialSources, view: JobView): Promise<string[]> {
  if (view.denials === undefined) return [];
  return denialsOfJob(view, { kept: await undefinedOnRefusal(readJob(state, view.job, keys.signer.thumbprint)), catalog: await undefinedOnRefusal(catalog()) });
}

/** Denials are shown also where less is known about who says so. */
async function undefinedOnRefusal<T>(work: Promise<T>): Promise<T | undefined> {
  return work.catch((error: unknown) => {
    if (error instanceof AppError) return undefined;
    throw error;
  });
}

async function fetchMocks(services: Services, catalog: Catalog, { folder, names, replace = false }: MockRequest): Promise<MockResult[]> {
  const assets = names === undefined ? catalog.assets : names.map(name => findAsset(catalog, name));
  const results: MockResult[] = [];
  for (const asset of assets) results.push(await fetchMock(serverOf(services), asset, { folder, replace }));
  return results;
}

export interface OpenedAgent {
  readonly agent: Agent;
  /** Closes kept connections. */
  readonly close: () => void;
}

/** The agent of this machine, with its services where `settings.json` says. */
export async function openAgent(home: string, clock: Clock = systemClock): Promise<OpenedAgent> {
  const settings = await readSettings(stateFolderOf(home), home);
  const gateway = settings.gateway ?? defaultGateway(home);
  const { transport, close } = connectGateway(gateway);
  return { agent: await createAgent({ home, transport, serverUrl: settings.server, clock }), close };
}
