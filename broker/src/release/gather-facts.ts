import { toTime } from '@cloister/protocol';
import { approvalOf } from '../approvals/approvals.js';
import { rolledBackAssets, rolledBackTo } from '../ledger/rollback.js';
import { descriptorOf, policiesInForce, policyOf } from '../store/assets.js';
import { highestReleased } from '../store/bindings.js';
import { factOf } from '../store/facts.js';
import type { Store } from '../store/tables.js';
import { usesOf } from '../store/uses.js';
import type { BrokerContext } from './context.js';
import type { AssetFacts, CodeFacts, JobFacts } from './decide.js';
import type { Subject } from './subject.js';

/** Reads all that a decision depends on, but the token, in the caller's transaction. */
export async function gatherFacts(store: Store, context: BrokerContext, subject: Subject, now: Date): Promise<JobFacts> {
  const { manifest, attempt } = subject;
  const assets: AssetFacts[] = [];
  for (const input of manifest.payload.inputs) {
    // A header handed in by a caller is not a thing: keys are unwrapped only for descriptors of our own store.
    const descriptor = await descriptorOf(store, context.owner, input.asset);
    if (descriptor !== undefined) assets.push(await assetFacts(store, context, { subject, descriptor, now }));
  }
  const restored = await factOf(store, 'restored_at');
  return {
    manifest,
    attempt,
    now,
    highestReleased: await highestReleased(store, manifest.digest),
    restoredAt: restored === undefined ? undefined : new Date(restored),
    assets,
    code: subject.code === undefined ? undefined : await codeFacts(store, context, subject),
    attestation: undefined
  };
}

async function assetFacts(
  store: Store,
  { owner }: BrokerContext,
  { subject, descriptor, now }: { readonly subject: Subject; readonly descriptor: AssetFacts['descriptor']; readonly now: Date }
): Promise<AssetFacts> {
  const { name } = descriptor.payload;
  const policy = await policyOf(store, owner, name);
  const rules = policy?.payload.allow.map(rule => rule.id) ?? [];
  return {
    descriptor,
    policy,
    approval: await approvalOf(store, owner, subject.manifest.payload, now),
    uses: await usesOf(store, { name, rules }, { job: subject.manifest.digest, attempt: subject.attempt }, toTime(now)),
    rolledBackTo: await rolledBackTo(store, name)
  };
}

async function codeFacts(store: Store, context: BrokerContext, { manifest, code }: Subject): Promise<CodeFacts> {
  return {
    bound: code?.fileKey !== undefined,
    analystListed: await isListed(store, context, manifest.payload.analyst),
    anyRolledBack: (await rolledBackAssets(store)).length > 0
  };
}

/** Whether a policy in force names the analyst: others get few denials, and no service as a keeper of code. */
export async function isListed(store: Store, { owner }: BrokerContext, analyst: string): Promise<boolean> {
  const policies = await policiesInForce(store, owner);
  return policies.some(policy => policy.payload.allow.some(rule => rule.analysts.some(listed => listed === analyst)));
}
