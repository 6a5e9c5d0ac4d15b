import { jcs } from '../../bytes/jcs.js';
import { fail, pass } from '../../attestation/check.js';
import type { ReportCheck } from '../report-check.js';

export const code: ReportCheck = {
  id: 'code',
  title: 'It ran exactly the code, parameters and environment that the analyst signed',
  run: ({ evidence }) => {
    const { digest, bundle, environment, parameters } = evidence.manifest.payload.code;
    const signed = { digest, bundle, environment, parameters };
    const ran = evidence.statement.predicate.code;
    return jcs(signed) === jcs(ran) ? pass(ran) : fail(signed, ran);
  }
};
