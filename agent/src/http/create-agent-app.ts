import { Router, type Express, type RequestHandler } from 'express';
import { AGENT_ROUTES, AppError, type JobEvent } from '@cloister/protocol';
import { bindRoutes, createApp, parseLastEventId, type Handlers, type Logger, type ServerEvent } from '@cloister/kit';
import type { Agent } from '../app.js';
import type { JobRecord } from '../job/job-folder.js';
import { createDraftShelf } from './draft-shelf.js';
import { guardLocal } from './guard.js';
import { viewOfAgent, viewOfAsset, viewOfCheck, viewOfDraft, viewOfOwnJob } from './views.js';
import { createWorkspaceRoot, type WorkspaceRoot } from './workspace.js';

export interface AgentAppOptions {
  readonly agent: Agent;
  /** The folder that JupyterLab shows; nothing outside of it is read or written for a request. */
  readonly workspace: string;
  readonly proxySecret: string;
  readonly logger: Logger;
}

/** A proxy does not tell of a closed tab, so an event stream ends by itself and the page asks for the rest. */
const STREAM_MS = 60_000;

/** The agent's HTTP face for JupyterLab: the same operations as the command line's. */
export async function createAgentApp({ agent, workspace, proxySecret, logger }: AgentAppOptions): Promise<Express> {
  const root = await createWorkspaceRoot(workspace);
  const handlers = { ...planning(agent, root), ...following(agent, root) };
  const router = bindRoutes(AGENT_ROUTES, handlers, { authenticate: guardLocal(proxySecret) });
  return createApp({ logger, routers: [Router().use(inertReplies), router] });
}

type AgentHandlers = Handlers<typeof AGENT_ROUTES, 'jupyter'>;
type Planning = 'root' | 'agentHealth' | 'describeAgent' | 'listCatalog' | 'fetchMocks' | 'createDraft' | 'submitDraft';

function planning(agent: Agent, root: WorkspaceRoot): Pick<AgentHandlers, Planning> {
  const shelf = createDraftShelf();
  const health = async (): Promise<{ status: 'ok'; checks: Record<string, string> }> => ({ status: 'ok', checks: {} });
  return {
    root: health,
    agentHealth: health,
    describeAgent: async () => viewOfAgent(agent, await agent.trust(), await agent.appraisal()),
    listCatalog: async () => {
      const { assets, unverified } = await agent.catalog();
      return { assets: assets.map(viewOfAsset), unverified: unverified.map(entry => ({ ...entry })) };
    },
    fetchMocks: async ({ body: { folder, names, replace } }) => {
      const place = await root.locate(folder);
      const mocks = await agent.fetchMocks({ folder: place, ...(names === undefined ? {} : { names }), ...(replace === undefined ? {} : { replace }) });
      return { mocks: mocks.map(mock => ({ ...mock, ...(mock.path === undefined ? {} : { path: root.name(mock.path) }) })) };
    },
    createDraft: async ({ body: { notebook, ...options } }) => {
      const { assets, custodians, timeoutSeconds, purpose } = options;
      const plan = await agent.plan({
        notebook: await root.locate(notebook),
        ...(assets === undefined ? {} : { assets }),
        ...(custodians === undefined ? {} : { custodians }),
        ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
        ...(purpose === undefined ? {} : { purpose })
      });
      const draft = await agent.draft(plan);
      shelf.put({ plan, draft });
      return viewOfDraft(draft);
    },
    submitDraft: async ({ body: { draft: job, acceptLikelySecrets } }) => {
      const shelved = shelf.take(job);
      const [secret] = shelved.plan.made.secrets;
      if (secret !== undefined && !acceptLikelySecrets) {
        shelf.put(shelved);
        throw new AppError('secret_likely', `${secret.path}: ${secret.kind}`);
      }
      return agent.submit(shelved);
    }
  };
}

function following(agent: Agent, root: WorkspaceRoot): Omit<AgentHandlers, Planning> {
  return {
    listOwnJobs: async ({ query: { limit, cursor } }) => {
      const page = await agent.jobs({ ...(limit === undefined ? {} : { limit: Number(limit) }), ...(cursor === undefined ? {} : { cursor }) });
      const records = new Map((await agent.records()).map((record): [string, JobRecord] => [record.job, record]));
      const jobs = page.jobs.map(view => viewOfOwnJob(view, records.get(view.job), root.name));
      return { jobs, ...(page.next === undefined ? {} : { next: page.next }) };
    },
    getOwnJob: async ({ params: { job } }) => viewOfOwnJob(await agent.job(job), (await agent.records()).find(record => record.job === job), root.name),
    cancelOwnJob: async ({ params: { job } }) => agent.cancel(job),
    deleteOwnJob: async ({ params: { job } }) => agent.delete(job).then(() => undefined),
    retryOwnJob: async ({ params: { job } }) => (await agent.retry(job)).view,
    openResults: async ({ params: { job }, body: { into } }) => {
      const opened = await agent.results(job, into === undefined ? {} : { into: await root.locate(into) });
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
      const { verdict, checks } = await agent.verify(await root.locate(report), folder);
      return { verdict, checks: checks.map(viewOfCheck) };
    },
    ownJobEvents: async ({ headers, signal }) => {
      const resumeAfter = parseLastEventId(headers['last-event-id']);
      return { events: relay(agent, AbortSignal.any([signal, AbortSignal.timeout(STREAM_MS)]), resumeAfter) };
    }
  };
}

async function* relay(agent: Agent, signal: AbortSignal, resumeAfter: number | undefined): AsyncGenerator<ServerEvent<JobEvent>, undefined> {
  for await (const event of agent.events(signal, resumeAfter)) yield { id: String(event.seq), data: event };
}

/** Nothing that the agent answers is a page: whoever opens it in a tab gets inert text. */
const inertReplies: RequestHandler = (_request, response, next) => {
  response.setHeader('content-security-policy', "default-src 'none'; frame-ancestors 'none'; sandbox");
  response.setHeader('cross-origin-resource-policy', 'same-origin');
  response.setHeader('referrer-policy', 'no-referrer');
  next();
};
