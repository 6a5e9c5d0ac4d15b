import { toJson, type Draft, type FileDraft } from '../format.js';
import { OTHER, createRule, type VectorWorld } from '../world.js';

const NOTHING = { jobsReleased: 0, jobsReserved: 0, attempts: 0 };

type Decide = (name: string, ...rest: [rules: readonly object[], kind: string, codes?: readonly string[], facts?: object]) => Draft;

/** A decision by rules that differ from a lax one as given. */
export function decisionCases(world: VectorWorld): Decide {
  const { hospital, manifest, analyst } = world;
  return (name, ...[rules, kind, codes = [], facts = {}]) => {
    const allow = rules.map((rule, at) => createRule({ id: `rule-${at}`, analysts: [analyst.thumbprint], ...rule }));
    const input = {
      policy: { ...hospital.policy.payload, allow }, manifest: manifest.payload, asset: hospital.descriptor.digest, policyDigest: hospital.policy.digest,
      now: '2026-06-01T12:00:00.000Z', approval: 'none', used: NOTHING, ...facts
    };
    return { name, operation: 'decidePolicy', input: { ...input, policy: toJson(input.policy), manifest: { $use: 'manifest' } }, ...(kind === 'allow' ? {} : { expect: { ok: { kind, codes } } }) };
  };
}

/** Decisions of a policy: pure, over facts that the broker gathered. */
export function decisionsFile(world: VectorWorld): FileDraft {
  const decide = decisionCases(world);
  const used = (jobsReleased: number, jobsReserved: number, attempts = 0): object => ({ used: { jobsReleased, jobsReserved, attempts } });
  const check = (id: string, status: string): object => ({ checks: [{ id, status }] });
  const obligations = (maxOutputBytes: unknown, expires: unknown): object => ({ outputs: 'release', reviewers: [], maxOutputBytes, isolation: 'sandbox', expires });
  return {
    kind: 'decisions',
    about: 'What a policy decides: the first rule that allows; none, no permission; a denial names all that stood in the way.',
    specs: [],
    shared: { manifest: world.manifest.payload },
    cases: [
      decide('a rule that allows', [{}], 'allow'),
      decide('the first rule that allows decides', [{ analysts: [] }, { maxOutputBytes: 10 }, {}], 'allow'),
      decide('no rule', [], 'deny', ['policy_empty']),
      decide('an analyst whom no rule lists', [{ analysts: [world.stranger.thumbprint] }], 'deny', ['analyst']),
      decide('code that is not listed', [{ code: [OTHER] }], 'deny', ['code']),
      decide('code that is listed', [{ code: [world.manifest.payload.code.digest] }], 'allow'),
      decide('code that the owner has not approved yet', [{ code: 'approved' }], 'wait', ['approval_missing']),
      decide('code that the owner approved', [{ code: 'approved' }], 'allow', [], { approval: 'approved' }),
      decide('code that the owner refused', [{ code: 'approved' }], 'deny', ['approval_refused'], { approval: 'refused' }),
      decide('an environment that is not listed', [{ environments: [OTHER] }], 'deny', ['environment']),
      decide('parameters that are not listed', [{ parameters: ['A'.repeat(43)] }], 'deny', ['parameters']),
      decide('joined with an asset that is not listed', [{ inputs: [world.hospital.descriptor.digest] }], 'deny', ['inputs']),
      decide('joined with exactly the other asset that is listed', [{ inputs: [world.registry.descriptor.digest] }], 'allow'),
      decide('an empty list of inputs: opened alone, or not at all', [{ inputs: [] }], 'deny', ['inputs']),
      decide('at the moment of its end', [{ expires: '2026-06-01T12:00:00.000Z' }], 'deny', ['expired']),
      decide('a millisecond before its end', [{ expires: '2026-06-01T12:00:00.001Z' }], 'allow'),
      decide('the last use', [{ uses: 2 }], 'allow', [], used(1, 0)),
      decide('the last use is reserved by another job', [{ uses: 2 }], 'reserved', ['use_reserved'], used(1, 1)),
      decide('no use is left', [{ uses: 2 }], 'deny', ['uses_exhausted'], used(2, 0)),
      decide('no attempt is left, by the rule', [{ attempts: 1 }], 'deny', ['attempts_exhausted'], used(0, 0, 1)),
      decide('no attempt is left, by the manifest', [{}], 'deny', ['attempts_exhausted'], used(0, 0, 2)),
      decide('a check of the token that failed', [{}], 'deny', ['image'], check('image', 'fail')),
      decide('a check of the token that was skipped', [{}], 'deny', ['image'], check('image', 'skipped')),
      decide('a check of the token that nobody could answer', [{}], 'deny', ['signature'], check('signature', 'unknown')),
      decide('a token that was not asked anything', [{}], 'deny', ['attestation'], { checks: [] }),
      decide('an asset that the manifest does not name', [{}], 'deny', ['asset'], { asset: OTHER }),
      decide('after the manifest’s end', [{}], 'deny', ['manifest_expired'], { now: '2026-06-01T13:00:00.000Z' }),
      decide('every rule is told', [{ analysts: [] }, { code: [] }], 'deny', ['analyst', 'code']),
      { name: 'obligations of several owners: the smallest size, the earliest end', operation: 'intersectObligations', input: { all: [obligations(10, '2030-01-01T00:00:00.000Z'), obligations('any', 'any'), obligations(7, '2029-01-01T00:00:00.000Z')] } },
      { name: 'obligations of nobody', operation: 'intersectObligations', input: { all: [] } }
    ]
  };
}
