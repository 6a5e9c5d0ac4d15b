import { expectEqual } from '../check.js';
import type { ClaimCheck } from '../expectation.js';

export const debug: ClaimCheck = {
  id: 'debug',
  title: 'Nobody could log in and look',
  run: ({ claims }) => expectEqual('disabled-since-boot', claims.raw['dbgstat'], 'debug images give root to the operator')
};
