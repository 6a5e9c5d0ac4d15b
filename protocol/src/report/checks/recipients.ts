import { jcs } from '../../bytes/jcs.js';
import { fail, pass } from '../../attestation/check.js';
import type { ReportCheck } from '../report-check.js';

export const recipients: ReportCheck = {
  id: 'recipients',
  title: 'Outputs were sealed to the recipients that the analyst signed, and to nobody else',
  run: ({ evidence }) => {
    const signed = evidence.manifest.payload.outputs.recipients;
    const sealed = evidence.statement.predicate.recipients;
    return jcs(signed) === jcs(sealed) ? pass(sealed) : fail(signed, sealed);
  }
};
