import { AppError, BROKER_ROUTES, DESCRIPTOR, MANIFEST, callRoute, peekPayload, type CompactJws, type Digest, type ErrorCode, type Transport } from '@cloister/protocol';
import type { Clock, Logger } from '@cloister/kit';
import type { CatalogStore } from '../store/port.js';
import { isAllowedBroker, type BrokerHosts } from './broker-hosts.js';
import { createBrokerPatience } from './broker-patience.js';

/** What the brokers of all inputs say together. */
export type BrokerAnswer =
  | { readonly kind: 'allow' }
  | { readonly kind: 'wait' }
  | { readonly kind: 'deny'; readonly code: ErrorCode }
  /** Somebody did not answer; so nothing is known. */
  | { readonly kind: 'unanswered'; readonly retryAfterMs: number };

export interface BrokerChecks {
  readonly ask: (manifest: CompactJws, signal: AbortSignal) => Promise<BrokerAnswer>;
}

const TIMEOUT_MS = 15_000;

/** Codes by which a broker says no for good. Every other error means: not now. */
const FINAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'released_never', 'manifest_expired', 'asset_not_here', 'policy_missing', 'code_not_bound', 'wrong_signer', 'uses_exhausted', 'attempts_exhausted'
]);

/** Errors that say nothing of this job: the next one would wait for as little. */
const SILENCE: ReadonlySet<string> = new Set(['network', 'unavailable', 'daemon_unreachable', 'internal']);

/** A broker may say when to come back, and not that a job is forgotten. */
const LONGEST_RETRY_SECONDS = 300;

interface BrokerChecksDeps {
  readonly catalog: CatalogStore;
  readonly transport: Transport;
  readonly hosts: BrokerHosts;
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Logger;
}

/**
 * Asks before a machine is paid for, and reserves nothing. Only brokers of inputs are asked, at the addresses that
 * their owners signed: custodians of the code are named by the analyst, and this server does not call addresses that
 * its users make up. A runner asks them all. A broker that is silent is asked less and less often, by one job at a time.
 */
export function createBrokerChecks({ catalog, transport, hosts, clock, logger }: BrokerChecksDeps): BrokerChecks {
  const patience = createBrokerPatience(clock);
  const askOne = async (baseUrl: string, manifest: CompactJws, signal: AbortSignal): Promise<BrokerAnswer> => {
    // Published before the operator said which hosts this server calls.
    if (!isAllowedBroker(baseUrl, hosts)) return { kind: 'deny', code: 'not_permitted' };
    const pause = patience.pause(baseUrl);
    if (pause > 0) return { kind: 'unanswered', retryAfterMs: pause };
    try {
      const { decision } = await callRoute({ transport, baseUrl }, BROKER_ROUTES.checkManifest, { body: { manifest }, signal });
      patience.answered(baseUrl);
      return decision === 'deny' ? { kind: 'deny', code: 'released_never' } : { kind: decision };
    } catch (error) {
      if (error instanceof AppError && FINAL.has(error.code)) {
        patience.answered(baseUrl);
        return { kind: 'deny', code: error.code };
      }
      const code = error instanceof AppError ? error.code : 'network';
      if (SILENCE.has(code)) patience.silent(baseUrl);
      else patience.answered(baseUrl);
      logger.info({ code }, 'a broker did not answer');
      const seconds = error instanceof AppError ? Number(error.members['retryAfterSeconds'] ?? 0) : 0;
      return { kind: 'unanswered', retryAfterMs: Number.isFinite(seconds) ? Math.min(seconds, LONGEST_RETRY_SECONDS) * 1000 : 0 };
    }
  };
  return {
    ask: async (manifest, signal) => {
      const { inputs } = peekPayload(MANIFEST, manifest).payload;
      const urls = await brokersOf(catalog, inputs.map(input => input.asset));
      const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
      return conclude(await Promise.all(urls.map(async url => askOne(url, manifest, limit))));
    }
  };
}

async function brokersOf(catalog: CatalogStore, assets: readonly Digest[]): Promise<string[]> {
  const entries = await Promise.all(assets.map(async asset => catalog.find(asset)));
  // Verified when they were published.
  const urls = entries.flatMap(entry => (entry === undefined ? [] : [peekPayload(DESCRIPTOR, entry.descriptor).payload.custodians[0].url]));
  return [...new Set(urls)];
}

/** One no is a no, whoever else is silent; one silence is a silence; one wait is a wait. */
function conclude(answers: readonly BrokerAnswer[]): BrokerAnswer {
  return (
    answers.find(answer => answer.kind === 'deny') ??
    answers.find(answer => answer.kind === 'unanswered') ??
    answers.find(answer => answer.kind === 'wait') ?? { kind: 'allow' }
  );
}
