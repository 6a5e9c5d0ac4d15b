import { parseConfig } from '@cloister/kit';
import { AppError, AssetName, CompactJws, Digest, POLICY, Policy, Rule, jcs, signObject, type Verified } from '@cloister/protocol';
import * as z from 'zod/mini';
import { openOwner } from './owner.js';
import { openRecords, type Records } from './records.js';

/**
 * What an owner writes: the asset's name and the rules. Every member of a rule is required and "any" is written out.
 * `version` is counted where it is left out.
 */
export const PolicyInput = z.strictObject({
  asset: AssetName,
  version: z.optional(z.int().check(z.gte(1))),
  allow: z.array(Rule).check(z.maxLength(64))
});
export type PolicyInput = z.infer<typeof PolicyInput>;

const PolicyRecord = z.strictObject({ v: z.literal(1), policy: Digest, jws: CompactJws });

/** What an owner has signed, by asset name. */
export function policyRecords(ownerDir: string): Records<z.infer<typeof PolicyRecord>> {
  return openRecords(ownerDir, 'policies', PolicyRecord);
}

export interface SignPolicyOptions {
  readonly ownerDir: string;
  /** A PolicyInput, as it was read from a file. */
  readonly policyInput: unknown;
}

/**
 * Validates and signs a policy, of a version above all that were signed here before.
 * @throws AppError invalid_object, which names the member | policy_rollback
 */
export async function signPolicy({ ownerDir, policyInput }: SignPolicyOptions): Promise<Verified<Policy>> {
  const owner = await openOwner(ownerDir);
  const input = parseInput(policyInput);
  const records = policyRecords(ownerDir);
  const last = await records.lastVersion(input.asset);
  const version = input.version ?? last + 1;
  if (version <= last) throw new AppError('policy_rollback', `version ${last} of this policy was signed already`, { hint: 'Leave out the version, or give a higher one.' });
  const policy = await signObject(POLICY, { v: 1, version, asset: { owner: owner.signer.thumbprint, name: input.asset }, allow: input.allow }, owner.signer);
  await records.write(input.asset, version, { v: 1, policy: policy.digest, jws: policy.jws });
  return policy;
}

/** Signs a policy without rules: once it is in force nothing is released any more. */
export async function stopPolicy({ ownerDir, name }: { readonly ownerDir: string; readonly name: string }): Promise<Verified<Policy>> {
  return signPolicy({ ownerDir, policyInput: { asset: name, allow: [] } });
}

function parseInput(input: unknown): PolicyInput {
  const placeholder = /"(@[a-z]+)"/.exec(jcs(input))?.[1];
  if (placeholder !== undefined) {
    throw new AppError('invalid_object', `policy: ${placeholder} is a placeholder of a template`, {
      hint: 'Put the digest of the image and the thumbprints of analysts in their places; the demo keeps filled copies in the owners folder of its state directory.'
    });
  }
  try {
    parseConfig(PolicyInput, structuredClone(input), 'policy');
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new AppError('invalid_object', error.detail, { cause: error, hint: 'Every member of a rule is required; write "any" where anything is allowed.' });
  }
  const parsed = PolicyInput.parse(input);
  const ids = parsed.allow.map(rule => rule.id);
  const twice = ids.find((id, at) => ids.indexOf(id) !== at);
  if (twice !== undefined) throw new AppError('invalid_object', `policy: allow: two rules have the id ${twice}`);
  return parsed;
}
