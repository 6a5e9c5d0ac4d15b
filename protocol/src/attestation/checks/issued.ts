import { fail, pass } from '../check.js';
import type { ClaimCheck } from '../expectation.js';
import { SKEW_SECONDS } from './skew.js';

/**
 * Not in the future and, where keys depend on it, not before the challenge that it answers. Comparisons are written so that an invalid
 * date on our own side refuses too.
 */
export const issued: ClaimCheck = {
  id: 'issued',
  title: 'The token was issued when it should have been',
  run: ({ claims: { issuedAt }, expect, now }) => {
    if (issuedAt === undefined) return fail('iat as whole seconds', 'missing');
    const time = new Date(issuedAt * 1000).toISOString();
    if (!(issuedAt - SKEW_SECONDS <= now.getTime() / 1000)) return fail('not issued in the future', time);
    switch (expect.freshness.kind) {
      case 'report':
        return pass(time);
      case 'release': {
        const after = expect.freshness.issuedAfter.getTime();
        return issuedAt >= after / 1000 - SKEW_SECONDS ? pass(time) : fail(`issued after ${Number.isNaN(after) ? 'a valid time' : new Date(after).toISOString()}`, time);
      }
    }
  }
};
