import { fail, pass } from '../check.js';
import { isObject } from '../token.js';
import type { ClaimCheck } from '../expectation.js';

/** Memory monitoring tells the operator about the data’s size and use. */
export const monitoring: ClaimCheck = {
  id: 'monitoring',
  title: 'The operator does not monitor memory',
  run: ({ claims, expect: { policy } }) => {
    const enabled = claims.space['monitoring_enabled'];
    const off = enabled === undefined || (isObject(enabled) && Object.values(enabled).every(value => value === false));
    if (off) return pass();
    return policy.monitoring === 'any' && isObject(enabled) && Object.values(enabled).every(value => typeof value === 'boolean') ? pass(enabled) : fail({ memory: false }, enabled);
  }
};
