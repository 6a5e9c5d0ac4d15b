import { fail, pass } from '../../attestation/check.js';
import type { ReportCheck } from '../report-check.js';

export const policies: ReportCheck = {
  id: 'policies',
  title: 'Policies that the report carries are the ones that were applied',
  run: ({ evidence }) => {
    const applied = new Map<string, string>(evidence.statement.predicate.inputs.map(input => [input.policy, input.asset]));
    const strange = evidence.policies.find(policy => {
      const descriptor = evidence.descriptors.find(({ digest }) => digest === applied.get(policy.digest));
      return descriptor?.payload.owner !== policy.signer || descriptor.payload.name !== policy.payload.asset.name;
    });
    if (strange !== undefined) return fail([...applied.keys()], strange.digest);
    return new Set(evidence.policies.map(policy => policy.digest)).size === evidence.policies.length ? pass(evidence.policies.length) : fail('each once', evidence.policies.length);
  }
};
