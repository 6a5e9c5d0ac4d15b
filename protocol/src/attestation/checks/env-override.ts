import { fail, pass } from '../check.js';
import type { ClaimCheck } from '../expectation.js';

/** Names of variables that the operator set at launch. */
export const envOverride: ClaimCheck = {
  id: 'env_override',
  title: 'The operator set only allowed variables',
  run: ({ claims, expect }) => {
    if (claims.envOverridesMalformed) return fail('an object of overrides', 'something else');
    if (expect.policy.envOverrides === 'any') return pass([...claims.envOverrides]);
    const { envOverrides } = expect.policy;
    const others = claims.envOverrides.filter(name => !envOverrides.includes(name));
    return others.length === 0 ? pass([...claims.envOverrides]) : fail([...envOverrides], [...claims.envOverrides]);
  }
};
