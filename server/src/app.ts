import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Express } from 'express';
import { SERVER_ROUTES, type Digest, type Transport, type Trust } from '@cloister/protocol';
import { bindRoutes, createApp, type Clock, type Logger } from '@cloister/kit';
import type { TeeBackend } from './backends/port.js';
import { openFilesystemBlobStore } from './blobs/filesystem/filesystem-blob-store.js';
import { createCatalogService } from './catalog/catalog-service.js';
import { createHandlers } from './http/handlers.js';
import { createHealthChecks } from './http/health.js';
import { createSenderAuthentication, type Admitted } from './http/sender.js';
import { createAttemptService } from './jobs/attempt-service.js';
import { createBrokerChecks } from './jobs/broker-checks.js';
import type { BrokerHosts } from './jobs/broker-hosts.js';
import { createJobChanges } from './jobs/change-job.js';
import { createEventFeed } from './jobs/event-feed.js';
import { createGarbageCollector } from './jobs/garbage-collector.js';
import { createJobService } from './jobs/job-service.js';
import { createPageCursors } from './jobs/page-cursors.js';
import { createReconciler, type Reconciler } from './jobs/reconciler.js';
import { openSqliteServerStore } from './store/sqlite/sqlite-server-store.js';

export interface ServerOptions {
  /** A private directory of this server's own; one process at a time. */
  readonly stateDir: string;
  /** ServiceUrl under which clients address this server: their proofs sign it. */
  readonly publicUrl: string;
  /** Verifiers whose tokens admit runners. */
  readonly trust: Trust;
  /** Who may submit jobs. */
  readonly analysts: Admitted;
  /** Owners who may publish assets. */
  readonly publishers: Admitted;
  readonly backend: TeeBackend;
  /** How brokers are reached. */
  readonly brokers: Transport;
  /** Which brokers are called, and may be published: by default public ones, by https. */
  readonly brokerHosts?: BrokerHosts | undefined;
  /** Environment of the runner of an attempt; must be the same whenever it is asked for again. */
  readonly runnerEnv: (job: Digest, attempt: number) => Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits?: { readonly [K in keyof ServerLimits]?: ServerLimits[K] | undefined };
}

export interface ServerLimits {
  /** Jobs with an instance at the same time. */
  readonly maxParallelJobs: number;
  /** Jobs of one analyst that have not ended. */
  readonly maxLiveJobs: number;
  readonly maxRunSeconds: number;
  readonly maxUnusedBundleBytes: number;
  /** Uploads are refused while less is free. */
  readonly minFreeBytes: number;
  /** How often the reconciler looks when nobody wakes it. */
  readonly tickMs: number;
}

export interface Server {
  readonly app: Express;
  /** Started by the caller, once the address is bound. */
  readonly reconciler: Reconciler;
  /** Ends event streams and the reconciler, then closes the database. Instances go on. */
  readonly close: () => Promise<void>;
}

/** The operator's server. The only place that chooses implementations. */
export async function createServer(options: ServerOptions): Promise<Server> {
  const { backend, clock, logger, trust, publicUrl, brokerHosts = 'public' } = options;
  const limits = limitsOf(options.limits ?? {});
  await mkdir(options.stateDir, { recursive: true, mode: 0o700 });
  const blobs = await openFilesystemBlobStore({ root: join(options.stateDir, 'blobs'), minFreeBytes: limits.minFreeBytes });
  const feed = createEventFeed();
  const store = openSqliteServerStore({ directory: options.stateDir, committed: feed.committed });
  const maxRunSeconds = Math.min(limits.maxRunSeconds, backend.capabilities().maxRunSeconds);
  const changes = createJobChanges({ jobs: store.jobs, clock, maxRunSeconds });
  const garbage = createGarbageCollector({ store, blobs, clock, logger });
  const cursors = createPageCursors(await store.secrets.get('cursor'));
  const reconciler = createReconciler({
    store, backend, changes, garbage, clock, logger,
    brokers: createBrokerChecks({ catalog: store.catalog, transport: options.brokers, hosts: brokerHosts, clock, logger }),
    serverId: labelOf(await store.secrets.get('server')),
    runnerEnv: options.runnerEnv,
    maxParallelJobs: limits.maxParallelJobs,
    tickMs: limits.tickMs
  });
  const { poke } = reconciler;
  const closing = new AbortController();
  const handlers = createHandlers({
    jobs: createJobService({ store, blobs, changes, garbage, cursors, clock, poke, maxLiveJobs: limits.maxLiveJobs }),
    attempts: createAttemptService({ store, blobs, changes, backend, trust, clock, poke, attempts: store.attempts }),
    catalog: createCatalogService({ store, blobs, garbage, cursors, clock, brokerHosts, maxUnusedBundleBytes: limits.maxUnusedBundleBytes }),
    health: createHealthChecks({ store, blobs, trouble: reconciler.trouble }),
    events: store.events,
    feed,
    closing: closing.signal
  });
  const authenticate = createSenderAuthentication({ publicUrl, clock, proofs: store.proofs, analysts: options.analysts, publishers: options.publishers });
  return {
    app: createApp({ logger, routers: [bindRoutes(SERVER_ROUTES, handlers, { authenticate })] }),
    reconciler,
    close: async () => {
      closing.abort();
      await reconciler.stop();
      await store.close();
    }
  };
}

function limitsOf(given: NonNullable<ServerOptions['limits']>): ServerLimits {
  return {
    maxParallelJobs: given.maxParallelJobs ?? 4,
    maxLiveJobs: given.maxLiveJobs ?? 100,
    maxRunSeconds: given.maxRunSeconds ?? 24 * 3600,
    maxUnusedBundleBytes: given.maxUnusedBundleBytes ?? 1024 ** 3,
    minFreeBytes: given.minFreeBytes ?? 64 * 1024 * 1024,
    tickMs: given.tickMs ?? 1000
  };
}

/** Names a server among others that share a backend. No secret: labels are shown to whoever lists instances. */
function labelOf(secret: string): string {
  return createHash('sha256').update('cloister server label').update(secret).digest('hex').slice(0, 32);
}
