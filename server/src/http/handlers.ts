import { AppError, SERVER_ROUTES, openApiOf, parseJson, collect, Report, type Thumbprint } from '@cloister/protocol';
import { parseLastEventId, type EventReply, type Handlers } from '@cloister/kit';
import type { CatalogService } from '../catalog/catalog-service.js';
import type { AttemptRef, AttemptService } from '../jobs/attempt-service.js';
import type { EventFeed } from '../jobs/event-feed.js';
import type { JobService } from '../jobs/job-service.js';
import type { EventLog } from '../store/port.js';
import type { HealthChecks } from './health.js';
import type { Sender } from './sender.js';

export interface HandlerDeps {
  readonly jobs: JobService;
  readonly attempts: AttemptService;
  readonly catalog: CatalogService;
  readonly events: EventLog;
  readonly feed: EventFeed;
  readonly health: HealthChecks;
  /** Aborted when the server closes. */
  readonly closing: AbortSignal;
}

type ServerHandlers = Handlers<typeof SERVER_ROUTES, Sender>;
type AnalystRoute = 'submitJob' | 'listJobs' | 'getJob' | 'cancelJob' | 'deleteJob' | 'jobEvents' | 'getReport' | 'getOutput' | 'getIndex';
type FileRoute = 'putBundle' | 'getBundle' | 'publishAsset' | 'putAssetFile' | 'listAssets' | 'getAssetFile';
type RunnerRoute = 'getAttempt' | 'admitRunner' | 'postProgress' | 'putOutput' | 'putIndex' | 'putReport' | 'publishAttempt' | 'failAttempt';

const DEFAULT_PAGE = 50;
const MAX_REPORT_BYTES = 16 * 1024 * 1024;
const MAX_STREAMS = 16;

/** From the wire to the services and back; decides nothing. */
export function createHandlers(deps: HandlerDeps): ServerHandlers {
  return { ...analystHandlers(deps), ...fileHandlers(deps), ...runnerHandlers(deps), ...openHandlers(deps) };
}

function analystHandlers({ jobs, events, feed, closing }: HandlerDeps): Pick<ServerHandlers, AnalystRoute> {
  return {
    submitJob: async ({ caller, body, headers }) => jobs.submit(caller.signer, body.manifest, headers['idempotency-key']),
    listJobs: async ({ caller, query: { limit, cursor, state } }) =>
      jobs.list(caller.signer, {
        limit: limit === undefined ? DEFAULT_PAGE : Number(limit),
        ...(cursor === undefined ? {} : { cursor }),
        ...(state === undefined ? {} : { state })
      }),
    getJob: async ({ caller, params }) => jobs.get(caller.signer, params.job),
    cancelJob: async ({ caller, params }) => jobs.cancel(caller.signer, params.job),
    deleteJob: async ({ caller, params }) => {
      await jobs.remove(caller.signer, params.job);
      return undefined;
    },
    jobEvents: async ({ caller, headers, signal }) => {
      if (feed.followers(caller.signer) >= MAX_STREAMS) throw new AppError('rate_limited', `at most ${MAX_STREAMS} event streams at once`);
      const from = parseLastEventId(headers['last-event-id']) ?? (await events.last());
      return eventReply(feed, events, { analyst: caller.signer, from, signal: AbortSignal.any([signal, closing]) });
    },
    getReport: async ({ caller, params }) => {
      const { bytes } = await jobs.report(caller.signer, params.job);
      return Report.parse(parseJson(await collect(bytes, MAX_REPORT_BYTES)));
    },
    getOutput: async ({ caller, params }) => {
      const { bytes, size } = await jobs.output(caller.signer, params.job, Number(params.output));
      return { body: bytes, size };
    },
    getIndex: async ({ caller, params }) => {
      const { bytes, size } = await jobs.output(caller.signer, params.job, 'index');
      return { body: bytes, size };
    }
  };
}

type JobEvents = EventReply<ServerEventData>;
type ServerEventData = Awaited<ReturnType<EventLog['after']>>[number];

function eventReply(feed: EventFeed, events: EventLog, options: { readonly analyst: Thumbprint; readonly from: number; readonly signal: AbortSignal }): JobEvents {
  async function* numbered(): AsyncGenerator<{ id: string; event: string; data: ServerEventData }, undefined> {
    for await (const data of feed.follow(events, options)) yield { id: String(data.seq), event: 'job', data };
  }
  return { events: numbered() };
}

function fileHandlers({ catalog }: HandlerDeps): Pick<ServerHandlers, FileRoute> {
  return {
    putBundle: async ({ caller, params, body }) => {
      await catalog.putFile({ kind: 'bundle', digest: params.digest, by: caller.signer, bytes: body, promised: caller.bodyDigest });
      return undefined;
    },
    getBundle: async ({ params }) => {
      const { bytes, size } = await catalog.openFile('bundle', params.digest);
      return { body: bytes, size };
    },
    publishAsset: async ({ caller, body }) => catalog.publish(caller.signer, body.descriptor),
    putAssetFile: async ({ caller, params, body }) => {
      await catalog.putFile({ kind: 'asset', digest: params.digest, by: caller.signer, bytes: body, promised: caller.bodyDigest });
      return undefined;
    },
    listAssets: async ({ query }) => catalog.list(query.owner, query.cursor),
    getAssetFile: async ({ params }) => {
      const { bytes, size } = await catalog.openFile('asset', params.digest);
      return { body: bytes, size };
    }
  };
}

function runnerHandlers({ attempts }: HandlerDeps): Pick<ServerHandlers, RunnerRoute> {
  const refOf = ({ job, attempt }: { readonly job: AttemptRef['job']; readonly attempt: number | string }): AttemptRef => ({ job, attempt: Number(attempt) });
  return {
    getAttempt: async ({ params }) => attempts.describe(refOf(params)),
    admitRunner: async ({ params, caller, body }) => {
      await attempts.admit(refOf(params), { signer: caller.signer, session: body.session, token: body.tokens[0] });
      return undefined;
    },
    postProgress: async ({ params, caller, body }) => attempts.progress(refOf(params), caller.signer, body),
    putOutput: async ({ params, caller, body }) => {
      await attempts.putOutput(refOf(params), caller.signer, Number(params.output), { bytes: body, digest: caller.bodyDigest });
      return undefined;
    },
    putIndex: async ({ params, caller, body }) => {
      await attempts.putOutput(refOf(params), caller.signer, 'index', { bytes: body, digest: caller.bodyDigest });
      return undefined;
    },
    putReport: async ({ params, caller, body }) => ({ report: await attempts.putReport(refOf(params), caller.signer, body) }),
    publishAttempt: async ({ params, caller, body }) => attempts.publish(refOf(params), caller.signer, body.report),
    failAttempt: async ({ params, caller, body }) => {
      await attempts.fail(refOf(params), caller.signer, { code: body.code, denials: body.denials ?? [] });
      return undefined;
    }
  };
}

function openHandlers({ health }: HandlerDeps): Pick<ServerHandlers, 'health' | 'ready' | 'openapi'> {
  const document = openApiOf(SERVER_ROUTES, { title: 'Cloister server', version: '1', description: 'Queues jobs, launches attested runners, keeps sealed files. Trusted with availability only.' });
  return {
    health: async () => ({ status: 'ok', checks: {} }),
    ready: async () => {
      const checks = await health();
      if (Object.values(checks).some(state => state !== 'ok')) throw new AppError('unavailable', 'the server is not ready', { members: { checks } });
      return { status: 'ok', checks };
    },
    openapi: async () => document
  };
}
