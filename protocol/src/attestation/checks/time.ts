import { fail, pass, type CheckOutcome } from '../check.js';
import type { CheckContext, ClaimCheck } from '../expectation.js';

/** Between the verifier’s clock and ours. */
const SKEW_SECONDS = 60;
const MAX_LIFETIME_SECONDS = 3600;
const MAX_AGE_SECONDS = 300;

/**
 * Issue, start and end in order, a lifetime of an hour at most, and fresh where keys depend on it. Comparisons are
 * written so that an invalid date on our own side refuses too.
 */
export const time: ClaimCheck = {
  id: 'time',
  title: 'The token is of the right time',
  run: context => {
    const { issuedAt, notBefore, expiresAt } = context.claims;
    if (issuedAt === undefined || notBefore === undefined || expiresAt === undefined) {
      return fail('iat, nbf and exp as whole seconds', 'missing');
    }
    if (!(expiresAt > issuedAt && expiresAt - issuedAt <= MAX_LIFETIME_SECONDS)) return fail(`a lifetime up to ${MAX_LIFETIME_SECONDS} s`, expiresAt - issuedAt);
    if (!(notBefore <= issuedAt + SKEW_SECONDS && notBefore < expiresAt)) return fail('a start at issue', notBefore - issuedAt);
    const age = context.now.getTime() / 1000 - issuedAt;
    if (!(age >= -SKEW_SECONDS)) return fail('not issued in the future', new Date(issuedAt * 1000).toISOString());
    return freshness(context, { issuedAt, expiresAt, age });
  }
};

function freshness({ expect }: CheckContext, times: { issuedAt: number; expiresAt: number; age: number }): CheckOutcome {
  const issued = new Date(times.issuedAt * 1000).toISOString();
  switch (expect.freshness.kind) {
    case 'report':
      return pass(issued);
    case 'release':
      if (!(times.issuedAt >= expect.freshness.issuedAfter.getTime() / 1000 - SKEW_SECONDS)) return fail(`issued after ${expect.freshness.issuedAfter.toISOString()}`, issued);
      if (!(times.age <= MAX_AGE_SECONDS)) return fail(`at most ${MAX_AGE_SECONDS} s old`, Math.round(times.age));
      if (!(times.issuedAt + times.age < times.expiresAt)) return fail('not expired', new Date(times.expiresAt * 1000).toISOString());
      return pass(issued);
  }
}
