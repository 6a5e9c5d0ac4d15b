import { AppError, HARDWARE_CHECKS, SIMULATOR_ISSUER, parseJson, parseToken, verifyReport, type Check, type Json, type ReportEvidence, type Verdict } from '@cloister/protocol';
import type { EmbeddedData } from './embedded-data.js';

/** `simulated`: it passed, but only a simulator said so, where hardware would have to. Never shown as passed. */
export type ShownStatus = Check['status'] | 'simulated';

/** One named question with its answer. All its texts may be a stranger's. */
export interface ShownCheck {
  readonly id: string;
  readonly title: string;
  readonly status: ShownStatus;
  readonly expected?: string;
  readonly actual?: string;
  readonly hint?: string;
}

/** The verifier's token taken apart; none of it is verified by that. */
export interface TokenParts {
  readonly header: Readonly<Record<string, Json>>;
  readonly claims: Readonly<Record<string, Json>>;
}

/** What the page's verifier found. */
export interface Outcome {
  readonly verdict: Verdict;
  readonly checks: readonly ShownCheck[];
  readonly checkedAt: Date;
  /** The parts, worth what the verdict is worth; absent where the file is no report at all. */
  readonly evidence?: ReportEvidence;
  readonly token?: TokenParts;
  /** Why it cannot be read as a report. */
  readonly unreadable?: string;
}

/** Verifies the report of a page by the trust of the page. Never throws on a bad report: a check fails. */
export async function verifyEmbedded({ report, trust, policy }: EmbeddedData, now: Date): Promise<Outcome> {
  const document = parseReport(report);
  const { verdict, checks, evidence } = await verifyReport(document, { trust, now, ...(policy === undefined ? {} : { policy }) });
  if (evidence === undefined) {
    return { verdict, checkedAt: now, checks: checks.map(check => shownCheck(check, false)), unreadable: reasonOf(checks, document) };
  }
  const token = takeApart(evidence.token);
  const issuer = token?.claims['iss'];
  const pinned = trust.verifiers.find(verifier => verifier.issuer === issuer);
  // Also in a report that failed otherwise, what a simulator said of its hardware did not pass.
  const simulated = verdict === 'simulated' || pinned?.kind === 'simulator' || issuer === SIMULATOR_ISSUER || token?.claims['hwmodel'] === 'SIMULATED';
  return { verdict, checkedAt: now, checks: checks.map(check => shownCheck(check, simulated)), evidence, ...(token === undefined ? {} : { token }) };
}

/** The document as strict JSON; undefined where it is none, so that the check of its form fails and says so. */
function parseReport(bytes: Uint8Array): Json | undefined {
  try {
    return parseJson(bytes);
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

function takeApart(token: string): TokenParts | undefined {
  try {
    const { header, claims } = parseToken(token);
    return { header, claims };
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
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

function reasonOf(checks: readonly Check[], document: Json | undefined): string {
  if (document === undefined) return 'not JSON';
  const actual = checks.find(check => check.status === 'fail')?.actual;
  return typeof actual === 'string' ? actual : 'not well formed';
}
