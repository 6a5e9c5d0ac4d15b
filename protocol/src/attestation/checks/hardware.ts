import { expectOneOf } from '../check.js';
import type { ClaimCheck } from '../expectation.js';
import { VERIFIER_TRAITS } from '../issuers.js';

/** “any” means any hardware that keeps its memory from the operator and that this verifier appraises; a simulator’s word counts for simulated hardware alone. */
export const hardware: ClaimCheck = {
  id: 'hardware',
  title: 'The hardware is of an accepted kind',
  run: ({ claims, verifier, expect: { policy } }) => {
    const known = VERIFIER_TRAITS[verifier.kind].hardware;
    const { hardware: wanted } = policy;
    return expectOneOf(wanted === 'any' ? known : known.filter(model => wanted.includes(model)), claims.hardware);
  }
};
