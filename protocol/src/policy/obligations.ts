import type { Obligations, Rule } from '../objects/policy.js';

/** What a release under this rule binds the runner to. */
export function obligationsOf(rule: Rule): Obligations {
  const { outputs, reviewers, maxOutputBytes, isolation, expires } = rule;
  return { outputs, reviewers, maxOutputBytes, isolation, expires };
}

/** Obligations of a code custodian: the code's own terms are in the manifest. */
export const CODE_OBLIGATIONS: Obligations = { outputs: 'release', reviewers: [], maxOutputBytes: 'any', isolation: 'sandbox', expires: 'any' };

/** The strictest of all: the smallest size, the earliest end. */
export function intersectObligations(all: readonly Obligations[]): Obligations {
  return all.reduce(
    (merged, next) => ({
      outputs: 'release',
      reviewers: [],
      isolation: 'sandbox',
      maxOutputBytes: smaller(merged.maxOutputBytes, next.maxOutputBytes),
      expires: smaller(merged.expires, next.expires)
    }),
    CODE_OBLIGATIONS
  );
}

function smaller<T extends number | string>(a: T | 'any', b: T | 'any'): T | 'any' {
  if (a === 'any') return b;
  if (b === 'any') return a;
  return a < b ? a : b;
}
