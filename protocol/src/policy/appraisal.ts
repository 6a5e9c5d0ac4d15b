import type { RunnerRequirements } from '../objects/manifest.js';
import type { Rule } from '../objects/policy.js';
import { AppraisalPolicy } from '../objects/trust.js';
import { AppError } from '../errors.js';

/** What is narrowed by choice, and what is strict unless somebody says otherwise. */
const DEFAULTS = {
  imageSigners: 'any',
  hardware: 'any',
  debug: false,
  attributes: ['STABLE'],
  tcb: ['UpToDate'],
  gpu: 'any',
  zones: 'any',
  serviceAccounts: 'any',
  command: 'image',
  args: 'any',
  envOverrides: [],
  env: 'any',
  restart: ['Never'],
  monitoring: false
} satisfies Partial<AppraisalPolicy>;

/** What nobody can leave out: whose word counts, for which programs, in whose projects. */
export type AppraisalDemands = Pick<AppraisalPolicy, 'verifiers' | 'images' | 'projects'> & Partial<AppraisalPolicy>;

/**
 * A whole appraisal policy from what it must name: confidential hardware with current firmware and a supported operating
 * system, the image's own command, no variable set by the operator, no restart, no memory monitoring, unless said otherwise.
 * @throws AppError invalid_object where a demand is none, an undefined one included
 */
export function createAppraisal(demands: AppraisalDemands): AppraisalPolicy {
  const policy = parsePolicy({ ...DEFAULTS, ...demands });
  whole.add(policy);
  return policy;
}

/** Policies that were looked at already, by identity: callers judge many tokens by one. */
const whole = new WeakSet<AppraisalPolicy>();

/**
 * That a policy is one, whatever its type promises: a program without types may hand over a file as it was read, and a member that
 * is missing or misspelt must not allow anything.
 * @throws AppError invalid_object
 */
export function requireAppraisal(policy: AppraisalPolicy): void {
  if (whole.has(policy)) return;
  parsePolicy(policy);
  whole.add(policy);
}

function parsePolicy(policy: unknown): AppraisalPolicy {
  const parsed = AppraisalPolicy.safeParse(policy);
  if (!parsed.success) throw new AppError('invalid_object', `the appraisal policy is not well formed at ${parsed.error.issues[0]?.path.join('.') || 'its top'}`, { cause: parsed.error });
  return parsed.data;
}

/** What one rule of an owner demands of the attestation. What rules do not speak of narrows nothing; a revoked TCB is refused always. */
export function appraisalOfRule(rule: Rule): AppraisalPolicy {
  const { verifiers, images, hardware, debug, attributes, projects, envOverrides } = rule;
  return createAppraisal({ verifiers, images, hardware, debug, attributes, projects, envOverrides, tcb: 'any' });
}

/** What the analyst demands of a runner before her code is opened in it. */
export function appraisalOfRunner(requirements: RunnerRequirements): AppraisalPolicy {
  return createAppraisal({ ...requirements, attributes: 'any', projects: 'any', envOverrides: 'any', tcb: 'any' });
}
