import { expectOneOf, pass } from '../check.js';
import type { ClaimCheck } from '../expectation.js';

/** `submods.gce.zone`: where the machine stood, for data that may not leave a country. */
export const zone: ClaimCheck = {
  id: 'zone',
  title: 'It ran in an accepted zone',
  run: ({ claims, expect }) => (expect.policy.zones === 'any' ? pass(claims.zone) : expectOneOf(expect.policy.zones, claims.zone))
};
