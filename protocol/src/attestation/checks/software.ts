import { expectEqual } from '../check.js';
import type { ClaimCheck } from '../expectation.js';

/** `swname`: only a validated Confidential Space image measures its container. */
export const software: ClaimCheck = {
  id: 'software',
  title: 'It ran in Confidential Space',
  run: ({ claims }) => expectEqual('CONFIDENTIAL_SPACE', claims.raw['swname'], 'GCE: the operating system image was revoked or never validated')
};
