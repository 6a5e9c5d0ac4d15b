import { fail, pass } from '../check.js';
import type { ClaimCheck } from '../expectation.js';

const MAX_AGE_SECONDS = 300;

/** For keys: minutes old and not expired. A report is judged at its time of issue, since reports are read for years. */
export const freshness: ClaimCheck = {
  id: 'freshness',
  title: 'The token is fresh enough for its purpose',
  run: ({ claims: { issuedAt, expiresAt }, expect, now }) => {
    if (issuedAt === undefined || expiresAt === undefined) return fail('iat and exp as whole seconds', 'missing');
    switch (expect.freshness.kind) {
      case 'report':
        return pass('judged at its time of issue');
      case 'release': {
        const seconds = now.getTime() / 1000;
        const age = Math.round(seconds - issuedAt);
        if (!(seconds - issuedAt <= MAX_AGE_SECONDS)) return fail(`at most ${MAX_AGE_SECONDS} s old`, age);
        return seconds < expiresAt ? pass(age) : fail('not expired', new Date(expiresAt * 1000).toISOString());
      }
    }
  }
};
