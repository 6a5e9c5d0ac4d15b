/** Verifying attestation reports, and what lies beside them: `@cloister/protocol/report`. */
export { AppError, type ErrorCode } from '../errors.js';
export { parseJson, type Json } from '../bytes/json.js';
export type { Check, CheckStatus } from '../attestation/check.js';
export { createAppraisal, type AppraisalDemands } from '../policy/appraisal.js';
export { Digest } from '../objects/primitives.js';
export { OutputIndex, Report, Statement, SubjectName } from '../objects/report.js';
export { AppraisalPolicy, PinnedOwner, PinnedVerifier, ReferenceValue, Trust } from '../objects/trust.js';
export { compareReports, type OpenedOutputs, type ReportDifference, type ReportSection } from './compare-reports.js';
export { readReport, type ReportEvidence } from './evidence.js';
export { findEquivocation, type Equivocation, type EquivocationKind, type NamedReport } from './find-equivocation.js';
export { outputCommitment } from './output-commitment.js';
export type { ReportOutputs } from './outputs.js';
export { verifyReport, type ReportResult, type Verdict, type VerifyReportOptions } from './verify.js';
