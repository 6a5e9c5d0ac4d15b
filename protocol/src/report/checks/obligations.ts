import { digestOfJson } from '../../bytes/digest.js';
import type { Json } from '../../bytes/json.js';
import { fail, pass } from '../../attestation/check.js';
import { intersectObligations } from '../../policy/obligations.js';
import type { ReportCheck } from '../report-check.js';

export const obligations: ReportCheck = {
  id: 'obligations',
  title: 'It kept what the owners bound it to',
  run: ({ evidence }) => {
    const owed = intersectObligations(evidence.receipts.flatMap(receipt => receipt.payload.grants.map(grant => grant.obligations)));
    const { predicate } = evidence.statement;
    const kept: Json = { ...predicate.obligations, reviewers: [] };
    if (digestOfJson(owed) !== digestOfJson(predicate.obligations)) return fail({ ...owed, reviewers: [] }, kept);
    if (predicate.limits.maxOutputBytes !== owed.maxOutputBytes) return fail(owed.maxOutputBytes, predicate.limits.maxOutputBytes);
    if (owed.expires !== 'any' && predicate.timing.ended > owed.expires) return fail(owed.expires, predicate.timing.ended);
    return pass(kept);
  }
};
