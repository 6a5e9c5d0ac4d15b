/**
 * Loaded when a report is first opened, never at start: alone in the extension it brings the verification code, the same
 * that the command line runs.
 */
import { AppError, Digest, at, fromBase64, parseJson, shownChecks, verifyReport, type AppraisalPolicy, type ReportResult, type Trust } from '@cloister/protocol';
import { describeRun } from './describe-run';
import { describeSigner } from './describe-signer';
import { describeToken } from './describe-token';
import type { IReportView } from './report-view';

/** What a report is verified by. Nothing of it comes from the report. */
export interface IVerifyContentOptions {
  readonly trust: Trust;
  readonly policy?: AppraisalPolicy;
  readonly now: Date;
  /** The job that this machine itself submitted, where it is one of those. */
  readonly ownJob?: Digest;
}

/** No trust at all: with it a report can contradict itself, and nothing in it can be confirmed. */
export const NO_TRUST: Trust = { v: 1, owners: [], verifiers: [], images: [] };

/**
 * A file's exact bytes as a document; undefined where they are none, so that the check of its form fails and says so.
 * @param base64 in lines, as Jupyter's server sends it
 */
export function parseContent(base64: string): unknown {
  try {
    return parseJson(fromBase64(base64.replaceAll(/\s/g, '')));
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

/** The job that a document names, to be looked up and not to be believed. */
export function jobNamedBy(document: unknown): Digest | undefined {
  try {
    if (typeof document !== 'object' || document === null || !('statement' in document) || typeof document.statement !== 'string') return undefined;
    return Digest.safeParse(at(parseJson(fromBase64(document.statement)), 'predicate', 'job')).data;
  } catch {
    return undefined; // verification says what is wrong with it
  }
}

/** Verifies a document and puts the answer into what the page shows. Never throws on a bad report. */
export async function verifyDocument(document: unknown, { ownJob, ...options }: IVerifyContentOptions): Promise<IReportView> {
  const result = await verifyReport(document, { ...options, ...(ownJob === undefined ? {} : { expect: { job: ownJob } }) });
  const { verdict, evidence } = result;
  const checks = shownChecks(result, options.trust);
  if (evidence === undefined) return { verdict, checks, unreadable: reasonOf(result, document) };
  const token = { ...describeToken(evidence.token), signer: describeSigner(evidence.token, options.trust, result.checks) };
  return { verdict, checks, run: describeRun(evidence, options.trust), token };
}

function reasonOf({ checks }: ReportResult, document: unknown): string {
  if (document === undefined) return 'not JSON';
  const actual = checks.find(check => check.status === 'fail')?.actual;
  return typeof actual === 'string' ? actual : 'not well formed';
}
