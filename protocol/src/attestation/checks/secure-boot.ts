import { expectEqual } from '../check.js';
import type { ClaimCheck } from '../expectation.js';

/** `secboot`: without it the measured image need not be the one that booted. */
export const secureBoot: ClaimCheck = {
  id: 'secure_boot',
  title: 'It booted only signed software',
  run: ({ claims }) => expectEqual(true, claims.raw['secboot'])
};
