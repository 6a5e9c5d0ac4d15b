import type { Json } from '../bytes/json.js';

/** How a question was answered. Only `pass` is a yes. */
export type CheckStatus = 'pass' | 'fail' | 'skipped' | 'unknown';

/**
 * One named question about a token or a report. `skipped`: not asked, because something before it failed;
 * `unknown`: cannot be answered with what the verifier was given. Neither is ever shown green.
 */
export interface Check {
  readonly id: string;
  readonly title: string;
  readonly status: CheckStatus;
  readonly expected?: Json;
  readonly actual?: Json;
  readonly hint?: string;
}

/** The answer to one question, without its name. `expected` and `actual` are what was compared. */
export interface CheckOutcome {
  readonly status: CheckStatus;
  readonly expected?: Json;
  readonly actual?: Json;
  readonly hint?: string;
}

/** Yes. `actual` is what was found, for people. */
export const pass = (actual?: Json): CheckOutcome => (actual === undefined ? { status: 'pass' } : { status: 'pass', actual });

/** No: `expected` and what was there instead, null where there was nothing. */
export const fail = (expected: Json, actual: Json | undefined, hint?: string): CheckOutcome => ({
  status: 'fail',
  expected,
  actual: actual ?? null,
  ...(hint === undefined ? {} : { hint })
});

/** Not asked; `hint` says because of what. */
export const skipped = (hint: string): CheckOutcome => ({ status: 'skipped', hint });

/** Not answerable with what the verifier was given; `hint` says what is missing. */
export const unknown = (hint: string): CheckOutcome => ({ status: 'unknown', hint });

/** A list as `expected` holds one; by itself, that nothing is accepted. */
export const expectedList = (list: readonly string[]): Json => (list.length === 0 ? 'none' : [...list]);

/** pass where the two are equal, fail with both where not. */
export function expectEqual(expected: Json, actual: Json | undefined, hint?: string): CheckOutcome {
  return expected === actual ? pass(actual) : fail(expected, actual, hint);
}

/** pass where the value is one of the list; an absent value is never in any list. */
export function expectOneOf(list: readonly string[], actual: Json | undefined, hint?: string): CheckOutcome {
  return typeof actual === 'string' && list.includes(actual) ? pass(actual) : fail(expectedList(list), actual, hint);
}
