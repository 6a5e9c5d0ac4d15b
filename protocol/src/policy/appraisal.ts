import type { RunnerRequirements } from '../objects/manifest.js';
import type { Rule } from '../objects/policy.js';
import type { AppraisalPolicy } from '../objects/trust.js';

/** What one rule of an owner demands of the attestation. */
export function appraisalOfRule(rule: Rule): AppraisalPolicy {
  const { verifiers, images, hardware, debug, attributes, projects, envOverrides } = rule;
  return { verifiers, images, hardware, debug, attributes, projects, envOverrides };
}

/** What the analyst demands of a runner before her code is opened in it. */
export function appraisalOfRunner(requirements: RunnerRequirements): AppraisalPolicy {
  return { ...requirements, attributes: 'any', projects: 'any', envOverrides: 'any' };
}
