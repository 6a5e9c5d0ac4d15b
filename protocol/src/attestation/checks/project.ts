import { expectOneOf, pass } from '../check.js';
import type { ClaimCheck } from '../expectation.js';

/** `submods.gce.project_id`: the cloud project that the machine ran in. */
export const project: ClaimCheck = {
  id: 'project',
  title: 'It ran in an accepted cloud project',
  run: ({ claims, expect }) => (expect.policy.projects === 'any' ? pass(claims.project) : expectOneOf(expect.policy.projects, claims.project))
};
