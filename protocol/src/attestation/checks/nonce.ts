import { fail, pass } from '../check.js';
import type { ClaimCheck } from '../expectation.js';

/** Our nonce exactly once among the token's: it binds keys, job, attempt and challenges, or the report. No secret, so that no time of comparing tells anything. */
export const nonce: ClaimCheck = {
  id: 'nonce',
  title: 'The token answers for exactly this session or report',
  run: ({ claims, expect }) => {
    if (claims.noncesMalformed) return fail(expect.nonce, 'eat_nonce is neither text nor two to six texts');
    const matches = claims.nonces.filter(value => value === expect.nonce).length;
    return matches === 1 ? pass(expect.nonce) : fail(expect.nonce, [...claims.nonces]);
  }
};
