import type { CheckOutcome } from '../attestation/check.js';
import type { Claims } from '../attestation/claims.js';
import type { Trust } from '../objects/trust.js';
import type { ReportEvidence } from './evidence.js';

/** How far the clocks of brokers, runners and verifiers may differ. */
export const CLOCK_SKEW_MS = 60_000;

/** What a check of a report may look at. */
export interface ReportContext {
  readonly evidence: ReportEvidence;
  readonly claims: Claims | undefined;
  readonly trust: Trust;
}

/** A pure question about a report whose parts could be read. */
export interface ReportCheck {
  readonly id: string;
  readonly title: string;
  readonly run: (context: ReportContext) => CheckOutcome;
}
