import { fail, pass } from '../check.js';
import { at } from '../claims.js';
import type { ClaimCheck } from '../expectation.js';

/** A changed command line is another program in the same image. */
export const command: ClaimCheck = {
  id: 'command',
  title: 'The operator did not change the command',
  run: ({ claims }) => {
    const override = at(claims.raw, 'submods', 'container', 'cmd_override');
    const none = override === undefined || override === null || (Array.isArray(override) && override.length === 0);
    return none ? pass() : fail('no override', override);
  }
};
