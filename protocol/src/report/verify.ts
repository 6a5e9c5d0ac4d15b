import { AppError } from '../errors.js';
import { fail, pass, skipped, unknown, type Check, type CheckOutcome } from '../attestation/check.js';
import { verifyAttestation, type AttestationResult } from '../attestation/verify.js';
import { Issuer } from '../objects/policy.js';
import { REPORT_AUDIENCE } from '../objects/release.js';
import type { Digest } from '../objects/primitives.js';
import type { AppraisalPolicy, Trust } from '../objects/trust.js';
import { createAppraisal } from '../policy/appraisal.js';
import type { VerifyRsa } from '../attestation/rsa.js';
import { readTokenClaims } from '../attestation/claims.js';
import { REPORT_CHECKS } from './checks/index.js';
import { readReport, type ReportEvidence } from './evidence.js';
import { OPENED_OUTPUTS, SEALED_OUTPUTS, checkOpened, checkSealed, type ReportOutputs } from './outputs.js';

/**
 * `verified`: all holds. `simulated`: the same, by a pinned simulator: nothing about hardware is proven. `failed`:
 * something contradicts. `inconclusive`: something that a verdict needs is missing.
 */
export type Verdict = 'verified' | 'simulated' | 'failed' | 'inconclusive';

/** What a report is verified by: nothing here comes from the report. */
export interface VerifyReportOptions {
  readonly trust: Trust;
  /** The verifier's own appraisal policy; without one a report is at best inconclusive. */
  readonly policy?: AppraisalPolicy;
  readonly now: Date;
  readonly outputs?: ReportOutputs;
  /** What the verifier itself kept of the job. */
  readonly expect?: { readonly job?: Digest; readonly attempt?: number };
  /** How the token’s RSA signature is verified: WebCrypto, unless the caller has something faster. */
  readonly verifyRsa?: VerifyRsa;
}

/** The verdict, and the answers that it follows from. */
export interface ReportResult {
  readonly verdict: Verdict;
  readonly checks: readonly Check[];
  /** The parts, to be shown; to be believed only as far as the verdict goes. */
  readonly evidence?: ReportEvidence;
}

/** Verifies `*.attestation.json` (docs/protocol.md, section 9). Never throws on a bad report: a check fails. */
export async function verifyReport(report: unknown, options: VerifyReportOptions): Promise<ReportResult> {
  const { check, evidence } = await readForm(report);
  if (evidence === undefined) return { verdict: 'failed', checks: [check, ...skipAll()] };
  const attestation = await verifyToken(evidence, options);
  const context = { evidence, claims: attestation.claims, trust: options.trust };
  const outputs = options.outputs ?? {};
  const checks = [
    check,
    named(POLICY, options.policy === undefined ? unknown('no appraisal policy: add one with --policy') : pass()),
    ...attestation.checks.map(answer => withoutReferenceValues(answer, options)),
    ...REPORT_CHECKS.map(item => named(item, item.run(context))),
    named(EXPECTED, checkExpected(evidence, options.expect)),
    named(SEALED_OUTPUTS, checkSealed(evidence.statement, outputs.sealed)),
    named(OPENED_OUTPUTS, checkOpened(evidence.statement, outputs.opened))
  ];
  return { verdict: decideVerdict(checks, attestation.simulated), checks, evidence };
}

const FORM = { id: 'report_form', title: 'The report is well formed and its parts are signed by the keys that they name' };
const POLICY = { id: 'policy', title: 'You said what you demand' };
const EXPECTED = { id: 'own_job', title: 'It is the report of the job that you submitted' };

/** Checks that are about files and records which a reader may not have; to leave them out does not weaken the rest. */
const OPTIONAL: ReadonlySet<string> = new Set(['witnesses', EXPECTED.id, SEALED_OUTPUTS.id, OPENED_OUTPUTS.id]);

function decideVerdict(checks: readonly Check[], simulated: boolean): Verdict {
  if (checks.some(check => check.status === 'fail')) return 'failed';
  const answered = checks.every(check => check.status === 'pass' || (check.status === 'skipped' && OPTIONAL.has(check.id)));
  if (!answered) return 'inconclusive';
  return simulated ? 'simulated' : 'verified';
}

async function readForm(report: unknown): Promise<{ check: Check; evidence?: ReportEvidence }> {
  try {
    return { evidence: await readReport(report), check: named(FORM, pass()) };
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause;
    return { check: named(FORM, fail('a report whose parts are signed as they say', `${cause.code}: ${cause.detail}`)) };
  }
}

async function verifyToken(evidence: ReportEvidence, options: VerifyReportOptions): Promise<AttestationResult> {
  const own = options.trust.images.map(value => value.image);
  const base = options.policy ?? permissive(evidence.token, own);
  const policy = { ...base, images: own.filter(image => base.images.includes(image)) };
  return verifyAttestation(evidence.token, {
    trust: options.trust,
    now: options.now,
    ...(options.verifyRsa === undefined ? {} : { verifyRsa: options.verifyRsa }),
    expect: { audience: REPORT_AUDIENCE, nonce: evidence.reportNonce, policy, freshness: { kind: 'report' } }
  });
}

/** Without a policy everything is still compared, so that contradictions show; the verdict stays inconclusive. */
function permissive(token: string, images: readonly Digest[]): AppraisalPolicy {
  return createAppraisal({ verifiers: issuerOf(token), images: [...images], projects: 'any', attributes: 'any', tcb: 'any', envOverrides: 'any' });
}

function issuerOf(token: string): string[] {
  // What is no issuer's name is pinned by nobody: the issuer check says so. What is no token, the checks of its form.
  const issuer = Issuer.safeParse(readTokenClaims(token)?.issuer);
  return issuer.success ? [issuer.data] : [];
}

function withoutReferenceValues(check: Check, options: VerifyReportOptions): Check {
  if (check.id !== 'image' || options.trust.images.length > 0) return check;
  return { id: check.id, title: check.title, ...unknown('your trust file lists no image reference values') };
}

function checkExpected(evidence: ReportEvidence, expect: VerifyReportOptions['expect']): CheckOutcome {
  if (expect?.job === undefined && expect?.attempt === undefined) return skipped('no record of your own job was given');
  if (expect.job !== undefined && evidence.manifest.digest !== expect.job) return fail(expect.job, evidence.manifest.digest);
  const { attempt } = evidence.statement.predicate;
  return expect.attempt === undefined || expect.attempt === attempt ? pass(evidence.manifest.digest) : fail(expect.attempt, attempt);
}

function skipAll(): Check[] {
  return [POLICY, ...REPORT_CHECKS, EXPECTED, SEALED_OUTPUTS, OPENED_OUTPUTS].map(item => named(item, skipped('the report cannot be read')));
}

function named(item: { readonly id: string; readonly title: string }, outcome: CheckOutcome): Check {
  return { id: item.id, title: item.title, ...outcome };
}
