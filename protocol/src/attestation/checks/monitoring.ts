import { fail, pass } from '../check.js';
import { at } from '../claims.js';
import type { ClaimCheck } from '../expectation.js';

/** Memory monitoring tells the operator about the data’s size and use. */
export const monitoring: ClaimCheck = {
  id: 'monitoring',
  title: 'The operator does not monitor memory',
  run: ({ claims }) => {
    const memory = at(claims.raw, 'submods', 'confidential_space', 'monitoring_enabled', 'memory');
    return memory === undefined || memory === false ? pass() : fail(false, memory);
  }
};
