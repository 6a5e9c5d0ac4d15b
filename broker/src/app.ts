import { acquireLock, bindRoutes, createApp, createKeyFile, createKeySource, createNodeRsa, ensurePrivateDirectory, type FetchPublished, type KeySource, type Lock, type Logger } from '@cloister/kit';
import { BROKER_ROUTES, type Thumbprint, type Trust } from '@cloister/protocol';
import type { Express, Router } from 'express';
import { join } from 'node:path';
import { createAuthenticate } from './http/authenticate.js';
import { createHandlers } from './http/handlers.js';
import { openBrokerKeys } from './keys/broker-keys.js';
import { createHeadsFile, readHeads, type HeadsFile } from './ledger/heads-file.js';
import { requireChain } from './ledger/ledger.js';
import { detectRollback } from './ledger/rollback.js';
import { LEDGER_START } from './ledger/verify-ledger.js';
import type { BrokerContext } from './release/context.js';
import { createDenialLimiter, type DenialLimits } from './release/denial-limiter.js';
import type { ChallengeLimits } from './store/challenges.js';
import { openStore } from './store/open-store.js';
import type { Store } from './store/tables.js';

export interface BrokerOptions {
  /** Private directory of this broker: keys and database. */
  readonly stateDir: string;
  /** File outside of `stateDir` and of its backups, by which a restored database is noticed. */
  readonly headsFile: string;
  /** The one owner whom this broker serves. */
  readonly owner: Thumbprint;
  /** Where the broker is reached, as requests' proofs name it. */
  readonly publicUrl: string;
  /** Pinned attestation verifiers. */
  readonly trust: Pick<Trust, 'verifiers'>;
  /** Fetches what verifiers publish. Left out, the broker never asks the network, and believes published keys for a day after they were pinned. */
  readonly fetchKeySet?: FetchPublished | undefined;
  readonly clock: { readonly now: () => Date };
  readonly logger: Logger;
  readonly limits?: Partial<BrokerLimits>;
}

export interface BrokerLimits {
  readonly challenges: ChallengeLimits;
  /** Denials to an analyst whom a policy names. */
  readonly listed: DenialLimits;
  /** Denials to any other analyst. */
  readonly unlisted: DenialLimits;
  /** Denials to all unlisted analysts together: keys cost nothing. */
  readonly strangers: DenialLimits;
  /** Reports of one session that are verified for a witness. */
  readonly reports: DenialLimits;
}

const LIMITS: BrokerLimits = {
  challenges: { perAnalyst: 64, total: 4096 },
  listed: { burst: 100, refillMs: 1000 },
  unlisted: { burst: 10, refillMs: 10_000 },
  strangers: { burst: 60, refillMs: 1000 },
  reports: { burst: 10, refillMs: 10_000 }
};

export interface Broker {
  readonly thumbprint: Thumbprint;
  /** The routes alone, for a process that serves several by Host. */
  readonly router: Router;
  /** The whole application, for a process of its own. */
  readonly app: Express;
  readonly close: () => Promise<void>;
}

/**
 * Opens or makes a broker's state and gives its routes. Only here are implementations chosen.
 * @throws AppError config_invalid | key_missing | key_unsafe | ledger_broken | state_locked
 */
export async function createBroker(options: BrokerOptions): Promise<Broker> {
  await ensurePrivateDirectory(options.stateDir);
  const lock = await acquireLock(join(options.stateDir, 'broker.lock'));
  try {
    return await openBroker(options, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function openBroker(options: BrokerOptions, lock: Lock): Promise<Broker> {
  const { stateDir, owner, clock, logger } = options;
  const keys = await openBrokerKeys(join(stateDir, 'keys'));
  const database = await openStore(stateDir, { owner, broker: keys.signer.thumbprint }, clock.now());
  try {
    const heads = await openHeads(options, { store: database.db, broker: keys.signer.thumbprint });
    const verifierKeys = await openVerifierKeys(options);
    const context = contextOf(options, { store: database.db, keys, heads, verifierKeys });
    const router = bindRoutes(BROKER_ROUTES, createHandlers(context), { authenticate: createAuthenticate(context, options.publicUrl) });
    const close = async (): Promise<void> => {
      await verifierKeys.close();
      await database.close();
      lock.release();
    };
    return { thumbprint: keys.signer.thumbprint, router, app: createApp({ logger, routers: [router] }), close };
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function openVerifierKeys({ stateDir, trust, fetchKeySet, clock, logger }: BrokerOptions): Promise<KeySource> {
  const store = createKeyFile(join(stateDir, 'verifier-keys.json'), { clock, logger });
  return createKeySource({ trust, fetchKeySet, clock, store, logger });
}

/** Compares the database with what is known outside of it, before anything is served. */
async function openHeads(
  { headsFile, clock, logger }: BrokerOptions,
  { store, broker }: { readonly store: Store; readonly broker: Thumbprint }
): Promise<HeadsFile> {
  const known = await readHeads(headsFile, broker);
  const restored = await detectRollback(store, known, clock.now());
  if (restored) logger.error('the database was restored from a backup: nothing is released until higher policy versions arrive');
  await requireChain(store, restored || known === undefined ? LEDGER_START : known);
  const heads = await createHeadsFile(headsFile, { store, broker, known });
  await heads.settle();
  return heads;
}

function contextOf({ owner, trust, clock, logger, limits }: BrokerOptions, parts: Pick<BrokerContext, 'store' | 'keys' | 'heads' | 'verifierKeys'>): BrokerContext {
  const { challenges, listed, unlisted, strangers, reports } = { ...LIMITS, ...limits };
  const denials = { listed: createDenialLimiter(listed), unlisted: createDenialLimiter(unlisted), strangers: createDenialLimiter(strangers) };
  return { ...parts, owner, trust, verifyRsa: createNodeRsa(), now: () => clock.now(), denials, reports: createDenialLimiter(reports), challenges, logger };
}
