import { Router, type Express, type RequestHandler } from 'express';
import { AGENT_ROUTES, AppError, type Digest, type JobView, type OwnJob } from '@cloister/protocol';
import { bindRoutes, createApp, systemClock, type Handlers, type Logger, type UpgradeListener } from '@cloister/kit';
import type { Agent } from '../app.js';
import { EventHub } from '../events/event-hub.js';
import type { KnownJob } from '../job/find-jobs.js';
import type { KeptJob } from '../job/job-folder.js';
import type { JobPage } from '../job/manage-jobs.js';
import { createDraftShelf } from './draft-shelf.js';
import { createEventSockets } from './event-sockets.js';
import { guardLocal, guardSocket } from './guard.js';
import { viewOfOwnJob } from './own-job-view.js';
import { viewOfAgent, viewOfAsset, viewOfCheck, viewOfDraft } from './views.js';
import { createWorkspaceRoot, type WorkspaceRoot } from './workspace.js';

export interface AgentAppOptions {
  /** Opened with the first request that needs it, so that what is wrong with its state can be told to a person. */
  readonly agent: () => Promise<Agent>;
  /** The folder that JupyterLab shows; nothing outside of it is read or written for a request. */
  readonly workspace: string;
  readonly proxySecret: string;
  readonly logger: Logger;
  /** How often a page's socket must show that it lives. */
  readonly pingMs?: number;
}

export interface AgentApp {
  readonly app: Express;
  /** Takes the WebSockets for events. */
  readonly upgrade: UpgradeListener;
  /** Ends all sockets, which a server does not by itself. */
  readonly close: () => void;
}

/** The agent's HTTP face for JupyterLab: the same operations as the command line's. */
export async function createAgentApp({ agent, workspace, proxySecret, logger, pingMs }: AgentAppOptions): Promise<AgentApp> {
  const root = await createWorkspaceRoot(workspace);
  const handlers = { ...describing(agent, root), ...drafting(agent, root), ...following(agent, root), ...opening(agent, root) };
  const router = bindRoutes(AGENT_ROUTES, handlers, { authenticate: guardLocal(proxySecret) });
  const hub = new EventHub({
    open: async function* (request) {
      yield* (await agent()).openEvents(request);
    },
    stillHere: async () => (await agent()).stillHere(),
    clock: systemClock
  });
  const sockets = createEventSockets({ hub, guard: guardSocket(proxySecret), logger, ...(pingMs === undefined ? {} : { pingMs }) });
  return { app: createApp({ logger, routers: [Router().use(inertReplies), router] }), ...sockets };
}

type AgentHandlers = Handlers<typeof AGENT_ROUTES, 'jupyter'>;
type OpenAgent = AgentAppOptions['agent'];

type Describing = 'root' | 'agentHealth' | 'describeAgent' | 'getTrust' | 'listCatalog' | 'fetchMocks';

function describing(agent: OpenAgent, root: WorkspaceRoot): Pick<AgentHandlers, Describing> {
  const health = async (): Promise<{ status: 'ok'; checks: Record<string, string> }> => ({ status: 'ok', checks: {} });
  return {
    root: health,
    agentHealth: health,
    describeAgent: async () => viewOfAgent(await agent(), root.path),
    getTrust: async () => {
      const opened = await agent();
      const policy = await opened.appraisal();
      return { trust: await opened.trust(), ...(policy === undefined ? {} : { policy }), where: opened.folder };
    },
    listCatalog: async () => {
      const { assets, unverified } = await (await agent()).catalog();
      return { assets: assets.map(viewOfAsset), unverified: unverified.map(entry => ({ ...entry })) };
    },
    fetchMocks: async ({ body: { folder, names, replace } }) => {
      const place = await root.locate(folder);
      const mocks = await (await agent()).fetchMocks({ folder: place, ...(names === undefined ? {} : { names }), ...(replace === undefined ? {} : { replace }) });
      return { mocks: mocks.map(mock => ({ ...mock, ...(mock.path === undefined ? {} : { path: root.name(mock.path) }) })) };
    }
  };
}

function drafting(agent: OpenAgent, root: WorkspaceRoot): Pick<AgentHandlers, 'createDraft' | 'submitDraft'> {
  const shelf = createDraftShelf();
  return {
    createDraft: async ({ body: { notebook, ...options } }) => {
      const { assets, custodians, timeoutSeconds, purpose } = options;
      const opened = await agent();
      const plan = await opened.plan({
        notebook: await root.locate(notebook),
        ...(assets === undefined ? {} : { assets }),
        ...(custodians === undefined ? {} : { custodians }),
        ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
        ...(purpose === undefined ? {} : { purpose })
      });
      const draft = await opened.draft(plan);
      shelf.put({ plan, draft });
      return viewOfDraft(draft, root.name);
    },
    submitDraft: async ({ body: { draft: job, acceptLikelySecrets } }) => {
      const opened = await agent();
      const shelved = shelf.take(job);
      const [secret] = shelved.plan.made.secrets;
      try {
        if (secret !== undefined && !acceptLikelySecrets) throw new AppError('secret_likely', `${secret.path}: ${secret.kind}`);
        const kept = await keptBefore(opened, job);
        return await (kept === undefined ? opened.submit(shelved) : opened.resend(kept));
      } catch (error) {
        // The same draft may be sent again: it is the same job, also where the first try came further than was told.
        shelf.put(shelved);
        throw error;
      }
    }
  };
}

async function keptBefore(agent: Agent, job: Digest): Promise<KeptJob | undefined> {
  return agent.kept(job).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'not_found') return undefined;
    throw error;
  });
}

const PAGE = 50;

function following(agent: OpenAgent, root: WorkspaceRoot): Pick<AgentHandlers, 'listOwnJobs' | 'getOwnJob' | 'cancelOwnJob' | 'deleteOwnJob' | 'retryOwnJob'> {
  const ownJob = async (opened: Agent, view: JobView): Promise<OwnJob> =>
    viewOfOwnJob({ view, record: (await opened.recordsOf([view.job])).get(view.job), denials: await opened.denials(view) }, root.name);
  return {
    listOwnJobs: async ({ query: { limit, cursor, name = '' } }) => {
      const opened = await agent();
      const page = { limit: limit === undefined ? PAGE : Number(limit), ...(cursor === undefined ? {} : { cursor }) };
      const { jobs, next }: JobPage = await (name === '' ? opened.jobs(page) : opened.findJobs({ ...page, matches: createMatcher(name, root) }));
      const records = await opened.recordsOf(jobs.map(view => view.job));
      const own = await Promise.all(jobs.map(async view => viewOfOwnJob({ view, record: records.get(view.job) }, root.name)));
      return { jobs: own, ...(next === undefined ? {} : { next }) };
    },
    getOwnJob: async ({ params: { job } }) => {
      const opened = await agent();
      return ownJob(opened, await opened.job(job));
    },
    cancelOwnJob: async ({ params: { job } }) => (await agent()).cancel(job),
    deleteOwnJob: async ({ params: { job } }) => (await agent()).delete(job).then(() => undefined),
    retryOwnJob: async ({ params: { job } }) => (await (await agent()).retry(job)).view
  };
}

/** By what a page shows of a job: the notebook's path as requests name it, and the purpose. */
function createMatcher(name: string, root: WorkspaceRoot): (job: KnownJob) => boolean {
  const fold = (text: string): string => text.normalize('NFC').toLowerCase();
  const wanted = fold(name);
  return ({ notebook, purpose }) => fold(root.name(notebook)).includes(wanted) || fold(purpose).includes(wanted);
}

function opening(agent: OpenAgent, root: WorkspaceRoot): Pick<AgentHandlers, 'openResults' | 'verifyLocalReport'> {
  return {
    openResults: async ({ params: { job }, body: { into } }) => {
      const opened = await (await agent()).results(job, into === undefined ? {} : { into: await root.locate(into) });
      const { verdict, checks, outcome, code, folder, report, files } = opened;
      return {
        verdict, outcome, ...(code === undefined ? {} : { code }),
        checks: checks.map(viewOfCheck),
        folder: root.name(folder),
        report: root.name(report),
        files: files.map(({ path, kind, mediaType, size }) => ({ path, kind, mediaType, size }))
      };
    },
    verifyLocalReport: async ({ body: { report, outputs } }) => {
      const folder = outputs === undefined ? {} : { outputs: await root.locate(outputs) };
      const { verdict, checks } = await (await agent()).verify(await root.locate(report), folder);
      return { verdict, checks: checks.map(viewOfCheck) };
    }
  };
}

/** Nothing that the agent answers is a page: whoever opens it in a tab gets inert text. */
const inertReplies: RequestHandler = (_request, response, next) => {
  response.setHeader('content-security-policy', "default-src 'none'; frame-ancestors 'none'; sandbox");
  response.setHeader('cross-origin-resource-policy', 'same-origin');
  response.setHeader('referrer-policy', 'no-referrer');
  next();
};
