import { fail, pass } from '../../attestation/check.js';
import { CLOCK_SKEW_MS, type ReportCheck } from '../report-check.js';

/** Keys before the run, the run before its attestation, by clocks that may differ by a minute; keys also before the manifest expired. */
export const timing: ReportCheck = {
  id: 'timing',
  title: 'Times follow one another: keys, run, statement',
  run: ({ evidence, claims }) => {
    const { started, ended } = evidence.statement.predicate.timing;
    const released = evidence.receipts.map(receipt => Date.parse(receipt.payload.time));
    const order = [Math.max(...released) - CLOCK_SKEW_MS, Date.parse(started), Date.parse(ended), (claims?.issuedAt ?? 0) * 1000 + CLOCK_SKEW_MS];
    const holds = order.every((time, at) => at === 0 || (order[at - 1] ?? 0) <= time);
    const beforeEnd = Math.max(...released) <= Date.parse(evidence.manifest.payload.notAfter) + CLOCK_SKEW_MS;
    return holds && beforeEnd ? pass({ started, ended }) : fail('release, start, end, attestation in this order, before the manifest expires', { started, ended });
  }
};
