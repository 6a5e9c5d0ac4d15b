import { AppError, VERIFIER_ADDRESSES, appendKeySet, type KeySet, type PublishingVerifier, type TokenAlgorithm } from '@cloister/protocol';
import type { Clock } from '../clock.js';
import type { Logger } from '../logger.js';
import type { FetchedKeySet } from './fetch-key-set.js';

/** Until a set is looked at again: within it a key that was withdrawn still counts. */
export const FRESH_MS = 10 * 60_000;
/** Until a set that could not be looked at again counts no more. */
export const USABLE_MS = 24 * 3_600_000;
/** Between two looks, whatever is asked: strangers' tokens must not make us knock at the verifier's door. */
export const COOL_DOWN_MS = 30_000;
/** A set from further in the future was dated by another clock. */
export const SKEW_MS = 60_000;
/** Sets that are kept of what was seen here; the trust file is the archive for decades. */
const MAX_SEEN = 64;

/** What a token says of the key that signed it. Nobody has verified it. */
export interface WantedKey {
  readonly kid: string;
  readonly algorithm: TokenAlgorithm;
}

export type FetchPublished = (kind: PublishingVerifier, signal: AbortSignal) => Promise<FetchedKeySet>;

export interface PublishedKeysDeps {
  /** Left out, the network is never asked. */
  readonly fetchKeySet: FetchPublished | undefined;
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Logger;
  /** Ends looks under way. */
  readonly signal: AbortSignal;
  readonly onSeen: () => Promise<void>;
}

/**
 * The keys of one verifier as they are published now. Invariants: one look at a time, and none within the cool-down of the last;
 * only the newest set counts, so that a key that was withdrawn is gone with the next look; no set counts that is older than a day.
 */
export class PublishedKeys {
  readonly issuer: string;
  readonly #kind: PublishingVerifier;
  readonly #pinned: readonly KeySet[];
  readonly #deps: PublishedKeysDeps;
  #seen: readonly KeySet[];
  #lookedAt: number | undefined;
  #looking: Promise<boolean> | undefined;
  #failure = 'they were not fetched yet';

  /** @param sets `pinned`: of the trust file; `seen`: from earlier looks */
  constructor(kind: PublishingVerifier, sets: { readonly pinned: readonly KeySet[]; readonly seen: readonly KeySet[] }, deps: PublishedKeysDeps) {
    this.issuer = VERIFIER_ADDRESSES[kind].issuer;
    this.#kind = kind;
    this.#pinned = sets.pinned;
    this.#seen = sets.seen;
    this.#deps = deps;
  }

  /** Sets that were fetched, now or before, oldest first. */
  get seen(): readonly KeySet[] {
    return this.#seen;
  }

  /** The newest set, where it is not too old. */
  get live(): KeySet | undefined {
    const usable = [...this.#pinned, ...this.#seen].filter(set => this.#ageOf(set) >= -SKEW_MS && this.#ageOf(set) <= USABLE_MS);
    return usable.reduce<KeySet | undefined>((newest, set) => (newest === undefined || set.seen >= newest.seen ? set : newest), undefined);
  }

  /**
   * Sees to it that the keys are current, and that a wanted key is among them if it is published at all. It resolves
   * without the key only after a look that did not show it.
   * @throws AppError verifier_keys_unavailable, with the seconds to wait
   */
  async require(wanted: WantedKey | undefined): Promise<void> {
    const looked = this.#isFresh() && this.#has(wanted) ? false : await this.#look();
    if (this.live === undefined) throw this.#unavailable(`the keys of ${this.issuer} cannot be had: ${this.#failure}`);
    if (looked || this.#has(wanted)) return;
    throw this.#unavailable(`the token names a key of ${this.issuer} that was not published when last looked`);
  }

  /** Whether there are keys that count. Looks where they are not fresh, and waits for that only where there are none. */
  async check(): Promise<{ readonly usable: boolean; readonly detail: string }> {
    if (this.live === undefined) await this.#look();
    else if (!this.#isFresh()) void this.#look();
    const { live } = this;
    return live === undefined ? { usable: false, detail: `no keys: ${this.#failure}` } : { usable: true, detail: `keys seen ${live.seen}` };
  }

  /** Resolves when no look is under way. */
  async settle(): Promise<void> {
    await this.#looking;
  }

  #ageOf(set: KeySet): number {
    return this.#deps.clock.now().getTime() - Date.parse(set.seen);
  }

  #isFresh(): boolean {
    const { live } = this;
    return live !== undefined && this.#ageOf(live) <= FRESH_MS;
  }

  #has(wanted: WantedKey | undefined): boolean {
    return wanted === undefined || this.live?.keys.some(key => key.kid === wanted.kid && key.alg === wanted.algorithm) === true;
  }

  /** Joins the look under way, or begins one unless it is too soon; says whether it showed what is published. Never rejects. */
  async #look(): Promise<boolean> {
    if (this.#looking !== undefined) return this.#looking;
    const { fetchKeySet, signal } = this.#deps;
    if (fetchKeySet === undefined) this.#failure = 'nothing is fetched from the network here';
    if (fetchKeySet === undefined || signal.aborted || this.#coolDownMs() > 0) return false;
    this.#looking = this.#fetch(fetchKeySet);
    try {
      return await this.#looking;
    } finally {
      this.#looking = undefined;
    }
  }

  async #fetch(fetchKeySet: FetchPublished): Promise<boolean> {
    const { clock, logger, signal, onSeen } = this.#deps;
    try {
      const { set, dropped } = await fetchKeySet(this.#kind, signal);
      if (dropped.length > 0) logger.warn({ issuer: this.issuer, dropped }, 'some keys that the verifier publishes do not count');
      this.#seen = appendKeySet(this.#seen, set).slice(-MAX_SEEN);
    } catch (error) {
      this.#failure = error instanceof AppError ? error.detail : 'the look ended unexpectedly';
      logger.warn({ issuer: this.issuer, err: error }, 'the verifier’s keys could not be fetched');
      return false;
    } finally {
      this.#lookedAt = clock.now().getTime();
    }
    await onSeen();
    return true;
  }

  /** Also after a clock that was set back, the next look is at most one cool-down away. */
  #coolDownMs(): number {
    if (this.#lookedAt === undefined) return 0;
    const passed = this.#deps.clock.now().getTime() - this.#lookedAt;
    return passed < 0 || passed >= COOL_DOWN_MS ? 0 : COOL_DOWN_MS - passed;
  }

  #unavailable(detail: string): AppError {
    const retryAfterSeconds = Math.max(1, Math.ceil(this.#coolDownMs() / 1000));
    return new AppError('verifier_keys_unavailable', detail, { members: { retryAfterSeconds } });
  }
}
