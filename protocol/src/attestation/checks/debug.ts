import { expectEqual } from '../check.js';
import type { ClaimCheck } from '../expectation.js';

/** `dbgstat` (RFC 9711): a debug image lets its operator in. */
export const debug: ClaimCheck = {
  id: 'debug',
  title: 'Nobody could log in and look',
  run: ({ claims }) => expectEqual('disabled-since-boot', claims.raw['dbgstat'], 'debug images give root to the operator')
};
