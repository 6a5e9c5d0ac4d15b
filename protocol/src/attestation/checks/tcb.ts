import { fail, pass } from '../check.js';
import { at, type Claims } from '../claims.js';
import type { ClaimCheck } from '../expectation.js';
import type { Json } from '../../bytes/json.js';

/** TDX platforms state how current their firmware is. A revoked one is refused; others are reported. */
export const tcb: ClaimCheck = {
  id: 'tcb',
  title: 'The platform’s firmware is not revoked',
  run: ({ claims }) => {
    const status = tcbStatus(claims);
    if (claims.hardware === 'GCP_INTEL_TDX' && typeof status !== 'string') return fail('a TCB status', status);
    return status === 'Revoked' ? fail('not Revoked', status) : pass(status ?? 'this hardware states none');
  }
};

/** An object in captured tokens, an array of one object in the documents. */
function tcbStatus(claims: Claims): Json | undefined {
  const tdx = claims.raw['tdx'];
  const first = Array.isArray(tdx) ? tdx[0] : tdx;
  return first === undefined ? undefined : at(first, 'gcp_attester_tcb_status');
}
