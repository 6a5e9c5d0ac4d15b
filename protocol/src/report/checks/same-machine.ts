import { fail, pass } from '../../attestation/check.js';
import type { ReportCheck } from '../report-check.js';

export const instance: ReportCheck = {
  id: 'same_machine',
  title: 'The machine that got the keys made the statement',
  run: ({ evidence, claims }) => {
    const names = [...new Set(evidence.receipts.map(receipt => receipt.payload.instance))];
    return names.length === 1 && names[0] === claims?.instance ? pass(names[0]) : fail(names, claims?.instance);
  }
};
