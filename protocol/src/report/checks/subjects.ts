import { jcs } from '../../bytes/jcs.js';
import { fail, pass } from '../../attestation/check.js';
import type { ReportCheck } from '../report-check.js';

export const subjects: ReportCheck = {
  id: 'subjects',
  title: 'Every output has one digest and one commitment, and the index is among them',
  run: ({ evidence }) => {
    const names = evidence.statement.subject.map(subject => subject.name);
    const committed = evidence.statement.predicate.outputs.map(output => output.name);
    const wanted = [...names.slice(0, -1).map((_, at) => `output/${at}`), 'index'];
    if (jcs(names) !== jcs(wanted)) return fail(wanted, names);
    return jcs(names) === jcs(committed) ? pass(names.length) : fail(names, committed);
  }
};
