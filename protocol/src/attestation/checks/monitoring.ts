import { fail, pass } from '../check.js';
import { at } from '../claims.js';
import { isObject } from '../token.js';
import type { ClaimCheck } from '../expectation.js';

/** Memory monitoring tells the operator about the data’s size and use. */
export const monitoring: ClaimCheck = {
  id: 'monitoring',
  title: 'The operator does not monitor memory',
  run: ({ claims }) => {
    const enabled = at(claims.raw, 'submods', 'confidential_space', 'monitoring_enabled');
    const off = enabled === undefined || (isObject(enabled) && Object.values(enabled).every(value => value === false));
    return off ? pass() : fail({ memory: false }, enabled);
  }
};
