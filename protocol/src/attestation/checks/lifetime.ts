import { fail, pass } from '../check.js';
import type { ClaimCheck } from '../expectation.js';
import { SKEW_SECONDS } from './skew.js';

const MAX_LIFETIME_SECONDS = 3600;

/** Issue, start and end in order, an hour at most: Google’s tokens live an hour, Intel’s five minutes. */
export const lifetime: ClaimCheck = {
  id: 'lifetime',
  title: 'The token lives for an hour at most',
  run: ({ claims: { issuedAt, notBefore, expiresAt } }) => {
    if (issuedAt === undefined || notBefore === undefined || expiresAt === undefined) return fail('iat, nbf and exp as whole seconds', 'missing');
    if (!(expiresAt > issuedAt && expiresAt - issuedAt <= MAX_LIFETIME_SECONDS)) return fail(`up to ${MAX_LIFETIME_SECONDS} s`, expiresAt - issuedAt);
    if (!(notBefore <= issuedAt + SKEW_SECONDS && notBefore < expiresAt)) return fail('a start at issue', notBefore - issuedAt);
    return pass(expiresAt - issuedAt);
  }
};
