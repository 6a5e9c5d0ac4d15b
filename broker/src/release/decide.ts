import {
  AppError,
  CODE_OBLIGATIONS,
  decidePolicy,
  toTime,
  type Check,
  type Descriptor,
  type Digest,
  type DenialReason,
  type Grant,
  type Manifest,
  type Obligations,
  type Policy,
  type Rule,
  type RuleUse,
  type Verified
} from '@cloister/protocol';

/** How far an id may be ahead of this broker's clock. */
export const CLOCK_SKEW_MS = 60_000;

/** One of the job's inputs whose key this broker keeps. */
export interface AssetFacts {
  readonly descriptor: Verified<Descriptor>;
  readonly policy: Verified<Policy> | undefined;
  readonly approval: 'approved' | 'refused' | 'none';
  /** By rule id. */
  readonly uses: ReadonlyMap<string, RuleUse>;
  /** Version that a policy must exceed, where a restored backup put the asset out of service. */
  readonly rolledBackTo: number | undefined;
}

/** The code, where the manifest names this broker as a custodian of it. */
export interface CodeFacts {
  /** Whether the wrapped key opened, for this very analyst and bundle. */
  readonly bound: boolean;
  /** Whether some policy in force names the analyst. */
  readonly analystListed: boolean;
  readonly anyRolledBack: boolean;
}

/** What a token says, under the terms of one rule and under those of the analyst. */
export interface AttestationFacts {
  readonly ofRule: (rule: Rule) => readonly Check[];
  readonly ofCode: readonly Check[];
}

/** Everything that a decision on a job depends on, gathered before it. */
export interface JobFacts {
  readonly manifest: Verified<Manifest>;
  /** Absent in a check beforehand. */
  readonly attempt: number | undefined;
  readonly now: Date;
  /** Highest attempt of the job that keys were released to. */
  readonly highestReleased: number | undefined;
  /** When the broker's store was last found restored from a backup. */
  readonly restoredAt: Date | undefined;
  readonly assets: readonly AssetFacts[];
  readonly code: CodeFacts | undefined;
  /** Absent before there is a token. */
  readonly attestation: AttestationFacts | undefined;
}

export interface AssetGrant {
  readonly asset: Digest;
  readonly name: string;
  readonly policy: Digest;
  readonly rule: Rule;
  readonly obligations: Obligations;
}

type Outcome = 'allow' | 'wait' | 'reserved' | 'deny';

/** The decision on one thing that this broker keeps. */
export interface PartDecision {
  readonly of: { readonly asset: Digest } | { readonly bundle: Digest };
  readonly outcome: Outcome;
  readonly policy: Verified<Policy> | undefined;
  readonly grant: AssetGrant | undefined;
  readonly denials: readonly DenialReason[];
}

export interface JobDecision {
  readonly outcome: Outcome;
  readonly parts: readonly PartDecision[];
  /** Where `outcome` is allow: one for each asset. */
  readonly grants: readonly AssetGrant[];
  readonly code: boolean;
  /** Reasons that concern the job as a whole. */
  readonly whole: readonly DenialReason[];
  /** All reasons, of the job as a whole and of its parts. Empty exactly where `outcome` is allow. */
  readonly denials: readonly DenialReason[];
}

/**
 * Decides on a whole job: all that this broker keeps of it, or none. With a token the same questions are asked again
 * and those about the token too.
 */
export function decideJob(facts: JobFacts): JobDecision {
  const parts = [...facts.assets.map(asset => decideAsset(asset, facts)), ...(facts.code === undefined ? [] : [decideCode(facts.code, facts)])];
  const whole = wholeRefusals(facts);
  const denials = [...whole, ...parts.flatMap(part => part.denials)];
  const outcome = whole.length > 0 ? 'deny' : worst(parts.map(part => part.outcome));
  const grants = parts.map(part => part.grant).filter(grant => grant !== undefined);
  return { outcome, parts, grants, code: facts.code !== undefined, whole, denials: outcome === 'allow' ? [] : denials };
}

/** The receipt's words for an allowed job. */
export function grantsOf(decision: JobDecision, manifest: Manifest): Grant[] {
  const assets = decision.grants.map(({ asset, policy, obligations }) => ({ asset, policy, obligations }));
  return decision.code ? [...assets, { bundle: manifest.code.bundle, obligations: CODE_OBLIGATIONS }] : assets;
}

function worst(outcomes: readonly Outcome[]): Outcome {
  const order: readonly Outcome[] = ['deny', 'wait', 'reserved', 'allow'];
  return order.find(outcome => outcomes.includes(outcome)) ?? 'deny';
}

function wholeRefusals(facts: JobFacts): DenialReason[] {
  const { attempt, highestReleased, now, restoredAt, assets, code } = facts;
  const manifest = facts.manifest.payload;
  const refusals: DenialReason[] = [];
  if (assets.length === 0 && code === undefined) refusals.push({ code: 'asset_not_here', expected: 'an input or the code, of which this broker keeps the key', actual: 'none' });
  if (now.toISOString() >= manifest.notAfter) refusals.push({ code: 'manifest_expired', expected: manifest.notAfter, actual: toTime(now) });
  if (attempt !== undefined && attempt > manifest.maxAttempts) refusals.push({ code: 'attempts_exhausted', expected: manifest.maxAttempts, actual: attempt });
  if (attempt !== undefined && highestReleased !== undefined && attempt < highestReleased) {
    refusals.push({ code: 'attempt_superseded', expected: highestReleased, actual: attempt });
  }
  const made = timeOfId(manifest.id);
  // Whoever signs a manifest writes its id: one from the future would pass for a job from after a restore to come.
  const latest = new Date(now.getTime() + CLOCK_SKEW_MS);
  if (made > latest) refusals.push({ code: 'manifest_early', expected: toTime(latest), actual: manifest.id });
  // What a restored broker released before is forgotten, and with it which keys an older job's attempts were bound to.
  const forgotten = restoredAt === undefined ? undefined : new Date(restoredAt.getTime() + CLOCK_SKEW_MS);
  if (forgotten !== undefined && made <= forgotten) {
    refusals.push({ code: 'rolled_back', expected: `a job made after ${toTime(forgotten)}`, actual: toTime(made) });
  }
  return refusals;
}

function decideAsset(asset: AssetFacts, facts: JobFacts): PartDecision {
  const { descriptor, policy, approval, uses, rolledBackTo } = asset;
  const of = { asset: descriptor.digest };
  const refuse = (reason: Omit<DenialReason, 'asset'>): PartDecision => ({ of, outcome: 'deny', policy, grant: undefined, denials: [{ ...of, ...reason }] });
  if (rolledBackTo !== undefined) return refuse({ code: 'rolled_back', expected: `a policy above version ${rolledBackTo}`, actual: policy?.payload.version ?? 'none' });
  if (policy === undefined) return refuse({ code: 'policy_missing', expected: 'a policy', actual: 'none' });
  const { attestation } = facts;
  const decision = decidePolicy(policy.payload, {
    asset: descriptor.digest,
    policy: policy.digest,
    manifest: facts.manifest.payload,
    now: facts.now,
    approval,
    used: rule => usesUnder(uses, rule),
    ...(attestation === undefined ? {} : { attestation: rule => asked(attestation.ofRule(rule)) })
  });
  switch (decision.kind) {
    case 'allow': {
      const { rule, obligations } = decision;
      return { of, outcome: 'allow', policy, grant: { ...of, name: descriptor.payload.name, policy: policy.digest, rule, obligations }, denials: [] };
    }
    case 'wait':
    case 'reserved':
    case 'deny':
      return { of, outcome: decision.kind, policy, grant: undefined, denials: decision.denials };
  }
}

function decideCode(code: CodeFacts, { manifest, assets, attestation }: JobFacts): PartDecision {
  const of = { bundle: manifest.payload.code.bundle };
  const denials: DenialReason[] = [];
  if (!code.bound) denials.push({ ...of, code: 'code_not_bound', expected: manifest.payload.analyst, actual: 'a key wrapped for somebody or something else' });
  // A broker is no key store for the public: without an asset of its own it serves those whom its owner named.
  if (assets.length === 0 && !code.analystListed) denials.push({ ...of, code: 'not_permitted', expected: 'an analyst whom a policy names', actual: manifest.payload.analyst });
  if (code.anyRolledBack) denials.push({ ...of, code: 'rolled_back', expected: 'a higher policy version for every asset', actual: 'missing' });
  if (attestation !== undefined) {
    const failed = asked(attestation.ofCode).filter(check => check.status !== 'pass');
    denials.push(...failed.map(check => ({ ...of, code: check.id, expected: check.expected ?? null, actual: check.actual ?? check.status })));
  }
  return { of, outcome: denials.length === 0 ? 'allow' : 'deny', policy: undefined, grant: undefined, denials };
}

/** No answers are no yes. */
function asked(checks: readonly Check[]): readonly Check[] {
  if (checks.length === 0) throw new AppError('internal', 'a token was not asked anything');
  return checks;
}

function usesUnder(uses: ReadonlyMap<string, RuleUse>, rule: string): RuleUse {
  const use = uses.get(rule);
  if (use === undefined) throw new AppError('internal', 'uses of a rule were not counted');
  return use;
}

/** The 48 bits of milliseconds that a UUIDv7 begins with. */
function timeOfId(id: string): Date {
  return new Date(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16));
}
