import { jcs } from '../../bytes/jcs.js';
import { expectedList, fail, pass } from '../check.js';
import type { ClaimCheck } from '../expectation.js';

/** `args`: the whole command line as it ran. The image’s own follows from its digest, so that only who says so pins it. */
export const args: ClaimCheck = {
  id: 'arguments',
  title: 'The program was started with accepted arguments',
  run: ({ claims, expect: { policy } }) => {
    const actual = claims.container['args'];
    if (actual !== undefined && !(Array.isArray(actual) && actual.every(item => typeof item === 'string'))) return fail('a list of texts', actual);
    if (policy.args === 'any') return pass(actual);
    return jcs(actual ?? []) === jcs(policy.args) ? pass(actual) : fail(expectedList(policy.args), actual);
  }
};
