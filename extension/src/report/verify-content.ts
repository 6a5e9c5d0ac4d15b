/**
 * Loaded when a report is first opened, never at start: alone in the extension it brings the verification code, the same
 * that the command line runs.
 */
import {
  AppError,
  HARDWARE_CHECKS,
  Digest,
  SIMULATOR_ISSUER,
  parseJson,
  verifyReport,
  type AppraisalPolicy,
  type Check,
  type Json,
  type ReportResult,
  type Trust
} from '@cloister/protocol';
import { describeRun } from './describe-run';
import { describeSigner } from './describe-signer';
import { describeToken } from './describe-token';
import type { IReportView, IShownCheck, ITokenView } from './report-view';

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

/** A file's exact bytes, in base64, as a document; undefined where they are none, so that the check of its form fails and says so. */
export function parseContent(base64: string): unknown {
  try {
    const text = atob(base64);
    const bytes = new Uint8Array(text.length);
    // Counted by hand: of eight million characters an iterator makes seconds, in which the page stands still.
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = text.charCodeAt(at);
    return parseJson(bytes);
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

/** The job that a document names, to be looked up and not to be believed. */
export function jobNamedBy(document: unknown): Digest | undefined {
  try {
    if (typeof document !== 'object' || document === null || !('statement' in document) || typeof document.statement !== 'string') return undefined;
    const statement = parseJson(atob(document.statement));
    const job = member(member(statement, 'predicate'), 'job');
    return Digest.safeParse(job).data;
  } catch {
    return undefined; // verification says what is wrong with it
  }
}

/** Verifies a document and puts the answer into what the page shows. Never throws on a bad report. */
export async function verifyDocument(document: unknown, { ownJob, ...options }: IVerifyContentOptions): Promise<IReportView> {
  const result = await verifyReport(document, { ...options, ...(ownJob === undefined ? {} : { expect: { job: ownJob } }) });
  const { verdict, evidence } = result;
  if (evidence === undefined) return { verdict, checks: result.checks.map(check => shown(check, false)), unreadable: reasonOf(result, document) };
  const token = { ...describeToken(evidence.token), signer: describeSigner(evidence.token, options.trust, result.checks) };
  const simulated = isSimulated(verdict, token, options.trust);
  return { verdict, checks: result.checks.map(check => shown(check, simulated)), run: describeRun(evidence, options.trust), token };
}

/** Also in a report that failed otherwise, what a simulator said of its hardware did not pass. */
function isSimulated(verdict: ReportResult['verdict'], { issuer, hardware }: ITokenView, trust: Trust): boolean {
  const pinned = trust.verifiers.find(verifier => verifier.issuer === issuer);
  return verdict === 'simulated' || pinned?.kind === 'simulator' || issuer === SIMULATOR_ISSUER || hardware === 'SIMULATED';
}

function shown({ id, title, status, expected, actual, hint }: Check, simulated: boolean): IShownCheck {
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

/** A value that a check compared: text as it is, all else as JSON; the absence of one in the reader's words, by the page. */
function textOf(value: Json): string {
  if (value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function reasonOf({ checks }: ReportResult, document: unknown): string {
  if (document === undefined) return 'not JSON';
  const actual = checks.find(check => check.status === 'fail')?.actual;
  return typeof actual === 'string' ? actual : 'not well formed';
}

function member(value: Json | undefined, name: string): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}
