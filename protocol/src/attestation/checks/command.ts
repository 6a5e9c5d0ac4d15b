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
    const own = 'the image’s own';
    if (policy.command === 'image') return none ? pass(own) : fail('no override', override);
    // Who names a command wants that one: without an override the image's own ran instead.
    if (jcs(none ? [] : override) === jcs(policy.command)) return pass(none ? own : override);
    return fail([...policy.command], none ? own : override);
  }
};
