import type { Check } from '../attestation/check.js';
import type { Json } from '../bytes/json.js';
import type { Manifest } from '../objects/manifest.js';
import type { Obligations, Policy, Rule } from '../objects/policy.js';
import type { Digest } from '../objects/primitives.js';
import type { DenialReason } from '../objects/release.js';
import { obligationsOf } from './obligations.js';

/** Everything that a decision depends on, gathered before it. */
export interface PolicyFacts {
  readonly asset: Digest;
  /** Digest of the policy's payload. */
  readonly policy: Digest;
  readonly manifest: Manifest;
  readonly now: Date;
  /** The owner's word on this code under this environment, parameters, inputs and analyst. */
  readonly approval: 'approved' | 'refused' | 'none';
  /** What has been used under a rule id, over all versions of the policy, without this very job and attempt. */
  readonly used: (ruleId: string) => RuleUse;
  /** Checks of the attestation token under one rule; absent before there is a token. */
  readonly attestation?: (rule: Rule) => readonly Check[];
}

/** What others have used of a rule; this very job and attempt are not counted. */
export interface RuleUse {
  /** Other jobs to which keys were released. */
  readonly jobsReleased: number;
  /** Other jobs that hold an unexpired reservation. */
  readonly jobsReserved: number;
  /** Other attempts of this job to which keys were released. */
  readonly attempts: number;
}

/** What a policy says to a job. `denials` name every rule that did not allow, and why. */
export type PolicyDecision =
  | { readonly kind: 'allow'; readonly rule: Rule; readonly obligations: Obligations }
  /** Only an approval is missing: it may come. */
  | { readonly kind: 'wait'; readonly denials: readonly DenialReason[] }
  /** Only a use is missing that another job merely reserves: it may be freed. */
  | { readonly kind: 'reserved'; readonly denials: readonly DenialReason[] }
  | { readonly kind: 'deny'; readonly denials: readonly DenialReason[] };

/**
 * Decides by a policy: the first rule that allows; no rule, no permission. Every rule is asked in full, so that a
 * denial names all that stood in the way.
 */
export function decidePolicy(policy: Policy, facts: PolicyFacts): PolicyDecision {
  const answers = policy.allow.map(rule => ({ rule, denials: denialsOf(rule, facts) }));
  const allowed = answers.find(answer => answer.denials.length === 0);
  if (allowed !== undefined) return { kind: 'allow', rule: allowed.rule, obligations: obligationsOf(allowed.rule) };
  const denials = answers.flatMap(answer => answer.denials);
  const only = (code: string): boolean => answers.some(answer => answer.denials.every(denial => denial.code === code));
  if (only('approval_missing')) return { kind: 'wait', denials };
  if (only('use_reserved')) return { kind: 'reserved', denials };
  const none: DenialReason = { asset: facts.asset, policy: facts.policy, code: 'policy_empty', expected: 'a rule', actual: 'none' };
  return { kind: 'deny', denials: denials.length === 0 ? [none] : denials };
}

type Refusal = { readonly code: string; readonly expected: Json; readonly actual: Json } | undefined;

function denialsOf(rule: Rule, facts: PolicyFacts): DenialReason[] {
  const refusals = [...manifestRefusals(rule, facts), ...useRefusals(rule, facts), ...attestationRefusals(rule, facts)];
  return refusals
    .filter(refusal => refusal !== undefined)
    .map(refusal => ({ asset: facts.asset, policy: facts.policy, rule: rule.id, ...refusal }));
}

function manifestRefusals(rule: Rule, { asset, manifest, now, approval }: PolicyFacts): Refusal[] {
  const { code } = manifest;
  const joined = manifest.inputs.map(input => input.asset);
  const strangers = rule.inputs === 'any' ? [] : joined.filter(other => other !== asset && !rule.inputs.includes(other));
  return [
    among('analyst', rule.analysts, manifest.analyst),
    codeRefusal(rule, code.digest, approval),
    rule.environments === 'any' ? undefined : among('environment', rule.environments, code.environment),
    rule.parameters === 'any' ? undefined : among('parameters', rule.parameters, code.parameters),
    joined.includes(asset) ? undefined : { code: 'asset', expected: joined, actual: asset },
    strangers.length === 0 ? undefined : { code: 'inputs', expected: rule.inputs, actual: strangers },
    now.getTime() < Date.parse(manifest.notAfter) ? undefined : { code: 'manifest_expired', expected: manifest.notAfter, actual: timeOf(now) },
    rule.expires === 'any' || now.getTime() < Date.parse(rule.expires) ? undefined : { code: 'expired', expected: rule.expires, actual: timeOf(now) }
  ];
}

/** An invalid clock refuses, and says so. */
function timeOf(now: Date): string {
  return Number.isNaN(now.getTime()) ? 'no valid time' : now.toISOString();
}

function codeRefusal(rule: Rule, digest: Digest, approval: PolicyFacts['approval']): Refusal {
  if (rule.code === 'any') return undefined;
  if (rule.code !== 'approved') return among('code', rule.code, digest);
  if (approval === 'approved') return undefined;
  return { code: approval === 'none' ? 'approval_missing' : 'approval_refused', expected: 'approved', actual: approval };
}

function useRefusals(rule: Rule, { used, manifest }: PolicyFacts): Refusal[] {
  const use = used(rule.id);
  const refusals: Refusal[] = [];
  if (rule.uses !== 'any' && !(use.jobsReleased < rule.uses)) refusals.push({ code: 'uses_exhausted', expected: rule.uses, actual: use.jobsReleased });
  else if (rule.uses !== 'any' && !(use.jobsReleased + use.jobsReserved < rule.uses)) {
    refusals.push({ code: 'use_reserved', expected: rule.uses, actual: use.jobsReleased + use.jobsReserved });
  }
  const attempts = rule.attempts === 'any' ? manifest.maxAttempts : Math.min(rule.attempts, manifest.maxAttempts);
  if (!(use.attempts < attempts)) refusals.push({ code: 'attempts_exhausted', expected: attempts, actual: use.attempts });
  return refusals;
}

function attestationRefusals(rule: Rule, { attestation }: PolicyFacts): Refusal[] {
  if (attestation === undefined) return [];
  const checks = attestation(rule);
  if (checks.length === 0) return [{ code: 'attestation', expected: 'checks of a token', actual: 'none' }];
  return checks
    .filter(check => check.status !== 'pass')
    .map(check => ({ code: check.id, expected: check.expected ?? null, actual: check.actual ?? check.status }));
}

function among(code: string, allowed: readonly string[], actual: string): Refusal {
  return allowed.includes(actual) ? undefined : { code, expected: [...allowed], actual };
}
