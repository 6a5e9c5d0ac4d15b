import type { Check, CheckStatus } from '../attestation/check.js';
import { HARDWARE_CHECKS } from '../attestation/checks/index.js';
import { readTokenClaims } from '../attestation/claims.js';
import { SIMULATED_HARDWARE, SIMULATOR_ISSUER } from '../attestation/issuers.js';
import type { Json } from '../bytes/json.js';
import type { Trust } from '../objects/trust.js';
import type { ReportResult } from './verify.js';

/** `simulated`: it passed, but only a simulator said so, where hardware would have to. Never shown as passed. */
export type ShownStatus = CheckStatus | 'simulated';

/** One named question with its answer, as a page shows it. All its texts may be a stranger's. */
export interface ShownCheck {
  readonly id: string;
  readonly title: string;
  readonly status: ShownStatus;
  /** What was compared, as text, where it did not pass; empty where there was nothing. */
  readonly expected?: string;
  readonly actual?: string;
  readonly hint?: string;
}

/** The answers of a verified report as they are shown. @param trust the one that it was verified by */
export function shownChecks(result: ReportResult, trust: Pick<Trust, 'verifiers'>): readonly ShownCheck[] {
  const simulated = isBySimulator(result, trust);
  return result.checks.map(check => shownCheck(check, simulated));
}

/** Whether a simulator speaks for the hardware. Also in a report that failed otherwise, what it said did not pass. */
export function isBySimulator({ verdict, evidence }: ReportResult, trust: Pick<Trust, 'verifiers'>): boolean {
  const claims = evidence === undefined ? undefined : readTokenClaims(evidence.token);
  const pinned = trust.verifiers.find(verifier => verifier.issuer === claims?.issuer);
  return verdict === 'simulated' || pinned?.kind === 'simulator' || claims?.issuer === SIMULATOR_ISSUER || claims?.hardware === SIMULATED_HARDWARE;
}

function shownCheck({ id, title, status, expected, actual, hint }: Check, simulated: boolean): ShownCheck {
  if (status === 'pass') return { id, title, status: simulated && HARDWARE_CHECKS.has(id) ? 'simulated' : 'pass' };
  return {
    id,
    title,
    status,
    ...(expected === undefined ? {} : { expected: textOf(expected) }),
    ...(actual === undefined ? {} : { actual: textOf(actual) }),
    ...(hint === undefined ? {} : { hint })
  };
}

function textOf(value: Json): string {
  if (value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
