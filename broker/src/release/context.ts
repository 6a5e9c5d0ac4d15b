import type { KeySource, Logger } from '@cloister/kit';
import type { Thumbprint, Trust, VerifyRsa } from '@cloister/protocol';
import type { BrokerKeys } from '../keys/broker-keys.js';
import type { HeadsFile } from '../ledger/heads-file.js';
import type { ChallengeLimits } from '../store/challenges.js';
import type { Store } from '../store/tables.js';
import type { DenialLimiter } from './denial-limiter.js';

/** What the broker's work needs. Made once, in app.ts. */
export interface BrokerContext {
  readonly store: Store;
  readonly keys: BrokerKeys;
  /** The one owner whom this broker serves. */
  readonly owner: Thumbprint;
  /** Pinned verifiers, as they were pinned. Tokens are verified by what `verifierKeys` gives for them. */
  readonly trust: Pick<Trust, 'verifiers'>;
  readonly verifierKeys: KeySource;
  readonly verifyRsa: VerifyRsa;
  /** The broker's own clock decides what is fresh and what has run out. */
  readonly now: () => Date;
  readonly heads: HeadsFile;
  /** Per listed analyst, per unlisted one, and for all unlisted ones together. */
  readonly denials: { readonly listed: DenialLimiter; readonly unlisted: DenialLimiter; readonly strangers: DenialLimiter };
  /** Reports to be verified, per session. */
  readonly reports: DenialLimiter;
  readonly challenges: ChallengeLimits;
  readonly logger: Logger;
}
