import { expectEqual } from '../check.js';
import type { ClaimCheck } from '../expectation.js';

export const software: ClaimCheck = {
  id: 'software',
  title: 'It ran in Confidential Space',
  run: ({ claims }) => expectEqual('CONFIDENTIAL_SPACE', claims.raw['swname'], 'GCE: the operating system image was revoked or never validated')
};
