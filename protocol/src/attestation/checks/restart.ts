import { expectOneOf } from '../check.js';
import type { ClaimCheck } from '../expectation.js';

/** A workload that restarts would run a second time under the same launch. */
export const restart: ClaimCheck = {
  id: 'restart',
  title: 'The program runs once',
  run: ({ claims, expect }) => expectOneOf(expect.policy.restart, claims.container['restart_policy'])
};
