import { fail, pass } from '../../attestation/check.js';
import type { ReportCheck } from '../report-check.js';

export const job: ReportCheck = {
  id: 'job',
  title: 'Statement, session and receipts are of one job and attempt',
  run: ({ evidence }) => {
    const { manifest, session, receipts, statement } = evidence;
    const wanted = { job: manifest.digest, attempt: statement.predicate.attempt };
    const all = [statement.predicate, session, ...receipts.map(receipt => receipt.payload)];
    const stranger = all.find(part => part.job !== wanted.job || part.attempt !== wanted.attempt);
    if (stranger !== undefined) return fail(wanted, { job: stranger.job, attempt: stranger.attempt });
    return statement.predicate.attempt <= manifest.payload.maxAttempts ? pass(wanted) : fail(manifest.payload.maxAttempts, wanted.attempt);
  }
};
