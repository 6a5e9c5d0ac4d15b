// Code of somebody who uses the library under strict types: it is compiled, never run.
import { AppError, jcs, type ErrorCode } from '@cloister/protocol';
import {
  ATTESTATION_CHECK_IDS,
  createAppraisal,
  Digest,
  PinnedVerifier,
  readKeySet,
  VERIFIER_ADDRESSES,
  VERIFIER_TRAITS,
  verifyAttestation,
  type AppraisalPolicy,
  type AttestationExpectation,
  type AttestationResult,
  type Check,
  type VerifyRsa
} from '@cloister/protocol/attestation';
import { compareReports, findEquivocation, outputCommitment, Trust, verifyReport, type Equivocation, type ReportDifference, type Verdict } from '@cloister/protocol/report';

export async function decide(token: string, jwks: string, expect: Omit<AttestationExpectation, 'policy'>): Promise<AttestationResult> {
  const { issuer, jwks: source } = VERIFIER_ADDRESSES.google;
  const { keys, dropped } = readKeySet(jwks, VERIFIER_TRAITS.google.algorithms);
  if (dropped.length > 0) throw new AppError('attestation_rejected', dropped.map(({ kid, reason }) => `${kid ?? ''} ${reason}`).join());
  const google: PinnedVerifier = { issuer, kind: 'google', jwks: [{ seen: new Date().toISOString(), source, keys: [...keys] }], roots: [], source };
  const policy: AppraisalPolicy = createAppraisal({ verifiers: [issuer], images: [Digest.parse(jwks)], projects: 'any' });
  return verifyAttestation(token, { trust: { verifiers: [google] }, expect: { ...expect, policy }, now: new Date() });
}

export const failed = ({ checks }: AttestationResult): readonly Check[] => checks.filter(check => check.status !== 'pass');
export const isCode = (error: unknown, code: ErrorCode): boolean => error instanceof AppError && error.code === code;
export const neverFaster: VerifyRsa = () => false;

export async function compare(a: unknown, b: unknown, trust: unknown): Promise<{ verdict: Verdict; differences: ReportDifference[]; found: Equivocation[] }> {
  const options = { trust: Trust.parse(trust), now: new Date() };
  const [left, right] = [await verifyReport(a, options), await verifyReport(b, options)];
  if (left.evidence === undefined || right.evidence === undefined) throw new Error(jcs([...ATTESTATION_CHECK_IDS]));
  const found = findEquivocation([{ name: 'a', evidence: left.evidence }, { name: 'b', evidence: right.evidence }]);
  return { verdict: left.verdict, differences: compareReports(left.evidence, right.evidence), found };
}

export const commitment: string = outputCommitment(new Uint8Array(32), new Uint8Array(32));

// @ts-expect-error a digest is not any text: it must have been parsed
createAppraisal({ verifiers: [], images: ['sha256:'], projects: [] });
// @ts-expect-error a policy has no default for what only its author knows
createAppraisal({ verifiers: [], images: [] });
// @ts-expect-error the clock is the caller's
void verifyAttestation('', { trust: { verifiers: [] } });
