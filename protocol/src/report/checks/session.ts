import { fail, pass } from '../../attestation/check.js';
import type { ReportCheck } from '../report-check.js';

export const session: ReportCheck = {
  id: 'session',
  title: 'Keys were released to the session that made the statement',
  run: ({ evidence }) => {
    const nonces = [evidence.statement.predicate.session, ...evidence.receipts.map(receipt => receipt.payload.session)];
    const stranger = nonces.find(nonce => nonce !== evidence.sessionNonce);
    return stranger === undefined ? pass(evidence.sessionNonce) : fail(evidence.sessionNonce, stranger);
  }
};
