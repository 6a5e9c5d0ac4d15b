import { mkdtemp, rm } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AppError,
  BROKER_ROUTES,
  MANIFEST,
  SERVER_ROUTES,
  TERMINAL_STATES,
  collect,
  digestOf,
  toTime,
  verifyObject,
  type CatalogEntry,
  type CheckReply,
  type Digest,
  type JobEvent,
  type JobState,
  type JobView,
  type Manifest,
  type Report,
  type Thumbprint,
  type Transport,
  type Verified
} from '@cloister/protocol';
import { authenticateByProof, bindRoutes, createApp, createLogger, createReplayMemory, createTransport, listen, parseLastEventId, systemClock, type Listening, type ServerEvent } from '@cloister/kit';

/** An operator's server and owners' brokers in memory, speaking the real routes over a real socket, for tests of clients. */
export interface FakeOperator {
  readonly socketPath: string;
  readonly serverUrl: string;
  readonly transport: Transport;
  readonly catalog: CatalogEntry[];
  /** Asset files and mocks by digest. */
  readonly files: Map<Digest, Uint8Array>;
  readonly bundles: Map<Digest, Uint8Array>;
  readonly jobs: Map<Digest, FakeJob>;
  /** What each broker answers, by the first label of its host. */
  readonly brokers: Map<string, (manifest: Verified<Manifest>, caller: Thumbprint | undefined) => CheckReply>;
  /** Ids of routes in the order they were called. */
  readonly calls: string[];
  readonly advance: (job: Digest, state: JobState, change?: Partial<JobView>) => void;
  /** Ends every event stream, as a restart does. */
  readonly dropStreams: () => void;
  /** Event streams that are open now. */
  readonly streams: () => number;
  /** While true, the server refuses event streams, as one that is not up yet. */
  refuseStreams: boolean;
  readonly close: () => Promise<void>;
}

export interface FakeJob {
  view: JobView;
  readonly manifest: Verified<Manifest>;
  readonly key: string | undefined;
  report?: Report;
  index?: Uint8Array;
  readonly outputs: Map<string, Uint8Array>;
}

const logger = createLogger({ service: 'fake', level: 'silent', destination: 'stderr' });

export async function createFakeOperator(brokerNames: readonly string[]): Promise<FakeOperator> {
  const folder = await mkdtemp(join(tmpdir(), 'cloister-fake-'));
  const socketPath = join(folder, 'gateway.sock');
  const state = createState();
  const apps = new Map<string, RequestListener>([['server', createApp({ logger, routers: [serverRouter(state)] })]]);
  for (const name of brokerNames) apps.set(name, createApp({ logger, routers: [brokerRouter(state, name)] }));
  const gateway: RequestListener = (request, response) => {
    const app = apps.get((request.headers.host ?? '').split('.')[0] ?? '');
    if (app === undefined) response.writeHead(404).end();
    else app(request, response);
  };
  const listening: Listening = await listen(gateway, { socketPath });
  const network = createTransport({ sockets: { 'cloister.localhost': socketPath } });
  return Object.assign(state, {
    socketPath,
    serverUrl: 'http://server.cloister.localhost',
    transport: network.transport,
    close: async () => {
      state.dropStreams();
      network.close();
      await listening.close(100);
      await rm(folder, { recursive: true });
    }
  });
}

type State = Pick<FakeOperator, 'catalog' | 'files' | 'bundles' | 'jobs' | 'brokers' | 'calls' | 'advance' | 'dropStreams' | 'streams' | 'refuseStreams'> & {
  readonly events: (after: number | undefined, signal: AbortSignal) => AsyncGenerator<ServerEvent<JobEvent>, undefined>;
};

function createState(): State {
  const log: JobEvent[] = [];
  const waiting = new Set<() => void>();
  let generation = 0;
  let open = 0;
  const wake = (): void => {
    for (const resolve of waiting) resolve();
    waiting.clear();
  };
  const jobs = new Map<Digest, FakeJob>();
  return {
    catalog: [],
    files: new Map(),
    bundles: new Map(),
    jobs,
    brokers: new Map(),
    calls: [],
    advance: (job, state, change = {}) => {
      const found = jobs.get(job);
      if (found === undefined) throw new Error('no such job');
      const version = found.view.version + 1;
      found.view = { ...found.view, ...change, state, version, updatedAt: toTime(new Date()) };
      const { attempt, updatedAt, code, cells } = found.view;
      log.push({ seq: log.length + 1, job, state, attempt, version, time: updatedAt, ...(code === undefined ? {} : { code }), ...(cells === undefined ? {} : { cells }) });
      wake();
    },
    dropStreams: () => {
      generation += 1;
      wake();
    },
    streams: () => open,
    refuseStreams: false,
    // Where it begins is settled with the request, as in the server, not with the first look at it.
    events: (after = log.length, signal) => tell(after, signal)
  };

  async function* tell(after: number, signal: AbortSignal): AsyncGenerator<ServerEvent<JobEvent>, undefined> {
    const mine = generation;
    signal.addEventListener('abort', wake, { once: true });
    open += 1;
    try {
      for (let at = after; !signal.aborted && mine === generation; ) {
        const next = log[at];
        if (next === undefined) {
          await new Promise<void>(resolve => waiting.add(resolve));
          continue;
        }
        at += 1;
        yield { id: String(next.seq), data: next };
      }
      return undefined;
    } finally {
      open -= 1;
    }
  }
}

const ALLOWED: CheckReply = { decision: 'allow' };

const authentication = (publicUrl: string) => ({ authenticate: authenticateByProof({ publicUrl, clock: systemClock, replays: createReplayMemory(systemClock) }) });

function brokerRouter(state: State, name: string) {
  const { checkManifest } = BROKER_ROUTES;
  return bindRoutes(
    { checkManifest },
    {
      checkManifest: async ({ body, caller }) => {
        state.calls.push(`checkManifest ${name}`);
        const manifest = await verifyObject(MANIFEST, body.manifest, payload => payload.analyst);
        return state.brokers.get(name)?.(manifest, caller) ?? ALLOWED;
      }
    },
    authentication(`http://${name}.cloister.localhost`)
  );
}

function serverRouter(state: State) {
  const { putBundle, submitJob, listJobs, getJob, cancelJob, deleteJob, jobEvents, getReport, getOutput, getIndex, listAssets, getAssetFile } = SERVER_ROUTES;
  const owned = (job: Digest): FakeJob => {
    const found = state.jobs.get(job);
    if (found === undefined) throw new AppError('not_found', 'no such job');
    return found;
  };
  const bytes = (found: Uint8Array | undefined) => {
    if (found === undefined) throw new AppError('not_found', 'no such file');
    return { body: once(found), size: found.length };
  };
  return bindRoutes(
    { putBundle, submitJob, listJobs, getJob, cancelJob, deleteJob, jobEvents, getReport, getOutput, getIndex, listAssets, getAssetFile },
    {
      putBundle: async ({ params, body }) => {
        state.calls.push('putBundle');
        const content = await collect(body, 1 << 27);
        if (digestOf(content) !== params.digest) throw new AppError('digest_mismatch', 'another digest');
        state.bundles.set(params.digest, content);
        return undefined;
      },
      submitJob: async ({ body, caller, headers }) => {
        state.calls.push('submitJob');
        const manifest = await verifyObject(MANIFEST, body.manifest, caller);
        const known = [...state.jobs.values()].find(job => job.key === headers['idempotency-key'] || job.manifest.digest === manifest.digest);
        if (known !== undefined && known.manifest.digest !== manifest.digest) throw new AppError('idempotency_conflict', 'another body');
        if (!state.bundles.has(manifest.payload.code.bundle)) throw new AppError('not_found', 'no bundle');
        const now = toTime(new Date());
        const view: JobView = { job: manifest.digest, id: manifest.payload.id, state: 'queued', attempt: 0, version: 1, createdAt: now, updatedAt: now };
        const job = known ?? { view, manifest, key: headers['idempotency-key'], outputs: new Map() };
        state.jobs.set(manifest.digest, job);
        return job.view;
      },
      listJobs: async () => ({ jobs: [...state.jobs.values()].map(job => job.view).reverse() }),
      getJob: async ({ params }) => {
        state.calls.push('getJob');
        return owned(params.job).view;
      },
      cancelJob: async ({ params }) => {
        if (TERMINAL_STATES.has(owned(params.job).view.state)) throw new AppError('job_finished', 'ended');
        state.advance(params.job, 'cancelled');
        return owned(params.job).view;
      },
      deleteJob: async ({ params }) => {
        if (!TERMINAL_STATES.has(owned(params.job).view.state)) throw new AppError('job_not_finished', 'not ended');
        state.jobs.delete(params.job);
        return undefined;
      },
      jobEvents: async ({ headers, signal }) => {
        state.calls.push(`jobEvents ${headers['last-event-id'] ?? '-'}`);
        if (state.refuseStreams) throw new AppError('unavailable', 'the server starts');
        return { events: state.events(parseLastEventId(headers['last-event-id']), signal) };
      },
      getReport: async ({ params }) => {
        const { report } = owned(params.job);
        if (report === undefined) throw new AppError('not_found', 'no report');
        return report;
      },
      getOutput: async ({ params }) => bytes(owned(params.job).outputs.get(`output/${params.output}`)),
      getIndex: async ({ params }) => bytes(owned(params.job).outputs.get('index')),
      listAssets: async () => ({ assets: state.catalog }),
      getAssetFile: async ({ params }) => bytes(state.files.get(params.digest))
    },
    authentication('http://server.cloister.localhost')
  );
}

async function* once(content: Uint8Array): AsyncGenerator<Uint8Array, undefined> {
  yield content;
}
