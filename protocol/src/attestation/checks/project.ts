import { expectedList, fail, pass } from '../check.js';
import type { ClaimCheck } from '../expectation.js';

/** `submods.gce.project_id` or, where a policy lists digits, which no id is made of alone, `project_number`: the cloud project that the machine ran in. */
export const project: ClaimCheck = {
  id: 'project',
  title: 'It ran in an accepted cloud project',
  run: ({ claims, expect: { policy } }) => {
    if (policy.projects === 'any') return pass(claims.project);
    const { projects } = policy;
    const number = claims.gce['project_number'];
    const isListed = (name: string): boolean => (/^[0-9]+$/.test(name) ? name === number : name === claims.project);
    return projects.some(isListed) ? pass(claims.project) : fail(expectedList(projects), claims.project);
  }
};
