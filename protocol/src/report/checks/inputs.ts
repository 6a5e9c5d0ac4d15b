import { jcs } from '../../bytes/jcs.js';
import { compareUtf8 } from '../../bytes/text.js';
import { fail, pass } from '../../attestation/check.js';
import type { ReportEvidence } from '../evidence.js';
import type { ReportCheck } from '../report-check.js';

export const inputs: ReportCheck = {
  id: 'inputs',
  title: 'It read exactly the inputs that the analyst signed',
  run: ({ evidence }) => {
    const signed = evidence.manifest.payload.inputs.map(input => [input.name, input.asset]);
    const ran = evidence.statement.predicate.inputs.map(input => [input.name, input.asset]);
    const described = evidence.descriptors.map(descriptor => descriptor.digest);
    if (jcs(signed) !== jcs(ran)) return fail(signed, ran);
    const misnamed = evidence.manifest.payload.inputs.find(input => nameOf(evidence, input.asset) !== input.name.split('/')[1]);
    if (misnamed !== undefined) return fail(nameOf(evidence, misnamed.asset) ?? 'a descriptor', misnamed.name, 'the owner calls this asset otherwise');
    const named = signed.map(([, asset]) => asset ?? '');
    return jcs([...described].sort(compareUtf8)) === jcs([...named].sort(compareUtf8)) ? pass(signed) : fail(named, described);
  }
};

function nameOf(evidence: ReportEvidence, asset: string): string | undefined {
  return evidence.descriptors.find(descriptor => descriptor.digest === asset)?.payload.name;
}
