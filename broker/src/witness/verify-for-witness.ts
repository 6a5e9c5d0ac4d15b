import {
  AppError,
  MANIFEST,
  OPENED_OUTPUTS,
  SEALED_OUTPUTS,
  appraisalOfRule,
  appraisalOfRunner,
  jcs,
  peekPayload,
  verifyReport,
  type AppraisalPolicy,
  type Check,
  type Report,
  type ReportEvidence,
  type Rule,
  type Thumbprint,
  type Trust
} from '@cloister/protocol';
import type { BrokerContext } from '../release/context.js';

/** Files that a broker never gets, and witnesses of others, which there may not be yet. */
const MAY_BE_SKIPPED: ReadonlySet<string> = new Set([SEALED_OUTPUTS.id, OPENED_OUTPUTS.id, 'own_job', 'witnesses']);

/**
 * Verifies a report by the broker's own trust, on the terms by which it released: those of each rule that allowed an asset,
 * or where it kept only the code the analyst's. Whether other owners are who they say is not this broker's to judge.
 * @param rules one for each asset that this broker released to the report's session
 * @throws AppError report_rejected with the ids of the checks that object | verifier_keys_unavailable
 */
export async function verifyForWitness(context: BrokerContext, report: Report, rules: readonly Rule[]): Promise<ReportEvidence> {
  const appraisals = rules.length > 0 ? rules.map(appraisalOfRule) : [appraisalOfRunner(peekPayload(MANIFEST, report.manifest).payload.code.runner)];
  const distinct = [...new Map(appraisals.map(appraisal => [jcs(appraisal), appraisal])).values()];
  // First a look whether newer keys are published; then by all that were seen, since a report may come late.
  await context.verifierKeys.trustFor(report.tokens[0]);
  const { verifiers } = context.verifierKeys.archive();
  let evidence: ReportEvidence | undefined;
  for (const policy of distinct) {
    const result = await verifyReport(report, { trust: trustOf(context.owner, verifiers, policy), policy, now: context.now(), verifyRsa: context.verifyRsa });
    const checks = result.checks.filter(isObjection);
    if (checks.length > 0) throw rejected(`the report does not verify on the terms of the release: ${checks.map(({ id }) => id).join(', ')}`, checks);
    evidence = result.evidence;
  }
  if (evidence === undefined) throw rejected('the report cannot be read', []);
  return evidence;
}

function trustOf(owner: Thumbprint, verifiers: Trust['verifiers'], { images }: AppraisalPolicy): Trust {
  return { v: 1, owners: [{ thumbprint: owner, name: 'owner' }], verifiers, images: images.map(image => ({ image, source: 'the owner’s policy' })) };
}

function isObjection({ id, status }: Check): boolean {
  if (status === 'pass') return false;
  if (id === 'owners' && status === 'unknown') return false;
  return !(status === 'skipped' && MAY_BE_SKIPPED.has(id));
}

/** Ids alone: what a check expected is the owner's policy, which is not for everybody who holds a report. */
export function rejected(detail: string, checks: readonly Check[]): AppError {
  return new AppError('report_rejected', detail, { members: { checks: checks.map(({ id, status }) => ({ id, status })) } });
}
