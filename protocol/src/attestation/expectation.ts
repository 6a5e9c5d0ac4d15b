import type { AppraisalPolicy, PinnedVerifier } from '../objects/trust.js';
import type { CheckOutcome } from './check.js';
import type { Claims } from './claims.js';

/** How old a token may be. */
export type Freshness =
  /** For keys: issued after the challenge, at most five minutes ago, not expired. */
  | { readonly kind: 'release'; readonly issuedAfter: Date }
  /** For reports: judged at the time of issue, since reports are read for years. */
  | { readonly kind: 'report' };

/** What a relying party demands of one token. */
export interface AttestationExpectation {
  readonly audience: string;
  /** Must be among the token's nonces exactly once. */
  readonly nonce: string;
  readonly policy: AppraisalPolicy;
  readonly freshness: Freshness;
  /** Name of the instance that must have attested, where it is known. */
  readonly instance?: string;
}

/** All that a check may look at. `claims` are of a token by `verifier`, whose signature is judged by a check of its own. */
export interface CheckContext {
  readonly claims: Claims;
  readonly verifier: PinnedVerifier;
  readonly expect: AttestationExpectation;
  readonly now: Date;
}

/** A pure question about claims whose signature holds. */
export interface ClaimCheck {
  readonly id: string;
  readonly title: string;
  readonly run: (context: CheckContext) => CheckOutcome;
}
