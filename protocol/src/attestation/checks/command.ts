import { jcs } from '../../bytes/jcs.js';
import { fail, pass } from '../check.js';
import type { ClaimCheck } from '../expectation.js';

/** `cmd_override`: a changed command line is another program in the same image. Absent, empty or (on older tokens) null where nothing is overridden. */
export const command: ClaimCheck = {
  id: 'command',
  title: 'The operator did not change the command',
  run: ({ claims, expect: { policy } }) => {
    const override = claims.container['cmd_override'];
    const none = override === undefined || override === null || (Array.isArray(override) && override.length === 0);
    if (none) return pass('the image’s own');
    if (policy.command === 'image') return fail('no override', override);
    return jcs(override) === jcs(policy.command) ? pass(override) : fail([...policy.command], override);
  }
};
