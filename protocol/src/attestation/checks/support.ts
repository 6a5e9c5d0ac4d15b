import { fail, pass } from '../check.js';
import type { ClaimCheck } from '../expectation.js';

/** support_attributes of the operating system image; the member is absent on debug images. */
export const support: ClaimCheck = {
  id: 'support',
  title: 'The operating system image is still supported',
  run: ({ claims, expect }) => {
    const attributes = claims.space['support_attributes'];
    const actual = Array.isArray(attributes) && attributes.every(attribute => typeof attribute === 'string') ? attributes : [];
    if (expect.policy.attributes === 'any') return pass(actual);
    const missing = expect.policy.attributes.filter(attribute => !actual.includes(attribute));
    return missing.length === 0 ? pass(actual) : fail([...expect.policy.attributes], attributes);
  }
};
