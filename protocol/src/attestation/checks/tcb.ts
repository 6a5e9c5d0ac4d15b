import type { Json } from '../../bytes/json.js';
import { expectedList, fail, pass } from '../check.js';
import type { ClaimCheck } from '../expectation.js';
import { TDX_HARDWARE, VERIFIER_TRAITS } from '../issuers.js';
import { isObject } from '../token.js';

/** Refused whatever a policy says: the maker itself took its word back. */
const REVOKED = 'Revoked';

/** TDX platforms state how current their firmware is; each statement in the token must be an accepted one. */
export const tcb: ClaimCheck = {
  id: 'tcb',
  title: 'The platform’s firmware is as current as you demand',
  run: ({ claims, verifier, expect: { policy } }) => {
    const stated = tdxOf(claims.raw['tdx']);
    if (stated === undefined) return fail('an object with the status, or a list of one', claims.raw['tdx']);
    const statuses = [stated['gcp_attester_tcb_status'], stated['attester_tcb_status']].filter(status => status !== undefined);
    const isTdx = TDX_HARDWARE.some(model => model === claims.hardware);
    if (isTdx && typeof stated[VERIFIER_TRAITS[verifier.kind].tcbStatus] !== 'string') return fail('a TCB status', statuses);
    const root = claims.raw['attester_tcb'];
    if (isTdx && root !== undefined && !(Array.isArray(root) && root.length === 1 && root[0] === 'INTEL')) return fail(['INTEL'], root);
    const accepted = statuses.every(status => status !== REVOKED && (policy.tcb === 'any' || policy.tcb.some(allowed => allowed === status)));
    if (!accepted) return fail(policy.tcb === 'any' ? `not ${REVOKED}` : expectedList(policy.tcb), statuses);
    return pass(statuses.length === 0 ? 'this hardware states none' : statuses);
  }
};

/** An object in captured tokens, a list of one object in the documents; nothing where the hardware is none of Intel’s. */
function tdxOf(tdx: Json | undefined): Readonly<Record<string, Json>> | undefined {
  if (tdx === undefined) return {};
  const stated = Array.isArray(tdx) && tdx.length === 1 ? tdx[0] : tdx;
  return isObject(stated) ? stated : undefined;
}
