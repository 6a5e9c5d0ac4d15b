import { AppError, parseJson, readToken, shownChecks, verifyReport, type Check, type Json, type ReportEvidence, type ShownCheck, type Verdict } from '@cloister/protocol';
import type { EmbeddedData } from './embedded-data.js';

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
  const result = await verifyReport(document, { trust, now, ...(policy === undefined ? {} : { policy }) });
  const { verdict, evidence } = result;
  const checks = shownChecks(result, trust);
  if (evidence === undefined) return { verdict, checkedAt: now, checks, unreadable: reasonOf(result.checks, document) };
  const { token } = readToken(evidence.token);
  return { verdict, checkedAt: now, checks, evidence, ...(token === undefined ? {} : { token }) };
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

function reasonOf(checks: readonly Check[], document: Json | undefined): string {
  if (document === undefined) return 'not JSON';
  const actual = checks.find(check => check.status === 'fail')?.actual;
  return typeof actual === 'string' ? actual : 'not well formed';
}
