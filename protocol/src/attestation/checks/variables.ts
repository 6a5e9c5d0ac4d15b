import { expectedList, fail, pass } from '../check.js';
import { isObject } from '../token.js';
import type { ClaimCheck } from '../expectation.js';

/** `env`: names of all variables of the container. The image’s own follow from its digest and the operator’s are asked by `environment`. */
export const variables: ClaimCheck = {
  id: 'variables',
  title: 'The program had only accepted variables',
  run: ({ claims, expect: { policy } }) => {
    const env = claims.container['env'];
    if (env !== undefined && env !== null && !(isObject(env) && Object.values(env).every(value => typeof value === 'string'))) return fail('an object of texts', 'something else');
    const names = isObject(env) ? Object.keys(env).sort() : [];
    if (policy.env === 'any') return pass(names);
    const { env: allowed } = policy;
    return names.every(name => allowed.includes(name)) ? pass(names) : fail(expectedList(allowed), names);
  }
};
