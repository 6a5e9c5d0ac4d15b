import { expectEqual } from '../check.js';
import { at } from '../claims.js';
import type { ClaimCheck } from '../expectation.js';

/** A workload that restarts would run a second time under the same launch. */
export const restart: ClaimCheck = {
  id: 'restart',
  title: 'The program runs once',
  run: ({ claims }) => expectEqual('Never', at(claims.raw, 'submods', 'container', 'restart_policy'))
};
