import { fail, pass } from '../../attestation/check.js';
import type { Grant } from '../../objects/release.js';
import type { ReportEvidence } from '../evidence.js';
import type { ReportCheck } from '../report-check.js';

export const receipts: ReportCheck = {
  id: 'receipts',
  title: 'Every key was released by the broker that its owner named, under the policy that the statement names',
  run: ({ evidence }) => {
    const { statement, descriptors, manifest } = evidence;
    for (const input of statement.predicate.inputs) {
      const broker = descriptors.find(descriptor => descriptor.digest === input.asset)?.payload.custodians[0].broker;
      if (broker === undefined || input.broker !== broker) return fail(broker ?? 'a descriptor', input.broker);
      const grants = grantsBy(evidence, broker).filter(grant => 'asset' in grant && grant.asset === input.asset);
      if (grants.length !== 1) return fail(`one receipt for ${input.name}`, grants.length);
      const [grant] = grants;
      if (grant === undefined || !('policy' in grant) || grant.policy !== input.policy) return fail(input.policy, grant);
    }
    const custodians = new Set<string>(manifest.payload.code.custodians.map(custodian => custodian.broker));
    const code = evidence.receipts.filter(({ signer, payload }) => custodians.has(signer) && payload.grants.some(grant => 'bundle' in grant));
    return code.length > 0 ? pass(evidence.receipts.map(receipt => ({ broker: receipt.signer, time: receipt.payload.time }))) : fail('a receipt for the code', 'none');
  }
};

function grantsBy(evidence: ReportEvidence, broker: string): readonly Grant[] {
  return evidence.receipts.filter(receipt => receipt.signer === broker).flatMap(receipt => receipt.payload.grants);
}
