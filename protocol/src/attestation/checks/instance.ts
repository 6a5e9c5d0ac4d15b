import { expectEqual, fail, pass } from '../check.js';
import type { ClaimCheck } from '../expectation.js';

/** Compared where the caller knows the name; otherwise there must be one, since receipts are bound to it. */
export const instance: ClaimCheck = {
  id: 'instance',
  title: 'It is the machine that was launched for this attempt',
  run: ({ claims, expect }) => {
    if (expect.instance !== undefined) return expectEqual(expect.instance, claims.instance);
    return claims.instance === undefined ? fail('an instance name', null) : pass(claims.instance);
  }
};
