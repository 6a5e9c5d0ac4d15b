import { expectOneOf, fail } from '../check.js';
import type { ClaimCheck } from '../expectation.js';

/** Hardware that keeps memory from its operator. GCP_SHIELDED_VM is none of it. */
const CONFIDENTIAL = ['GCP_AMD_SEV', 'GCP_AMD_SEV_ES', 'GCP_INTEL_TDX'];
/** `hwmodel` of the local simulator: a value that no hardware has. */
export const SIMULATED_HARDWARE = 'SIMULATED';

/** "any" means any confidential hardware; what a simulator says counts only for a pinned simulator. */
export const hardware: ClaimCheck = {
  id: 'hardware',
  title: 'The hardware is of an accepted kind',
  run: ({ claims, verifier, expect }) => {
    const simulated = verifier.kind === 'simulator';
    if (simulated !== (claims.hardware === SIMULATED_HARDWARE)) {
      return fail(simulated ? SIMULATED_HARDWARE : CONFIDENTIAL, claims.hardware);
    }
    const known = simulated ? [SIMULATED_HARDWARE] : CONFIDENTIAL;
    const allowed = expect.policy.hardware === 'any' ? known : expect.policy.hardware.filter(model => known.includes(model));
    return expectOneOf(allowed, claims.hardware);
  }
};
