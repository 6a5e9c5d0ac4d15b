import { expectEqual } from '../check.js';
import type { ClaimCheck } from '../expectation.js';

/** One exact audience, not a list that contains it: a token for two readers is a token for neither. */
export const audience: ClaimCheck = {
  id: 'audience',
  title: 'The token was made for this purpose',
  run: ({ claims, expect }) => expectEqual(expect.audience, claims.raw['aud'])
};
