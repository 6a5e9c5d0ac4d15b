import { equalBytes, toUtf8 } from '../../bytes/text.js';
import { fail, pass } from '../check.js';
import type { ClaimCheck } from '../expectation.js';

/** Our nonce exactly once among the token's: it binds keys, job, attempt and challenges, or the report. */
export const nonce: ClaimCheck = {
  id: 'nonce',
  title: 'The token answers for exactly this session or report',
  run: ({ claims, expect }) => {
    if (claims.noncesMalformed) return fail(expect.nonce, 'eat_nonce is neither text nor two to six texts');
    const wanted = toUtf8(expect.nonce);
    const matches = claims.nonces.filter(value => equalBytes(toUtf8(value), wanted)).length;
    return matches === 1 ? pass(expect.nonce) : fail(expect.nonce, [...claims.nonces]);
  }
};
