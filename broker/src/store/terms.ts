import { POLICY, verifyObject, type Digest, type Rule, type Thumbprint } from '@cloister/protocol';
import type { Store } from './tables.js';

/** Which rule of which policy allowed one asset to a session. */
export interface AllowedAsset {
  readonly asset: Digest;
  readonly policy: Digest;
  readonly rule: Pick<Rule, 'id'>;
}

/** Keeps on what terms a session got its keys: those that its report is judged by, whatever is in force then. */
export async function keepTerms(store: Store, session: string, allowed: readonly AllowedAsset[]): Promise<void> {
  for (const { asset, policy, rule } of allowed) await store.insertInto('terms').values({ session, asset, policy, rule: rule.id }).execute();
}

/** The rules by which a session got its keys, each policy's signature verified again; one an asset. */
export async function termsOf(store: Store, owner: Thumbprint, session: string): Promise<Rule[]> {
  const rows = await store
    .selectFrom('terms')
    .innerJoin('policies', 'policies.policy', 'terms.policy')
    .select(['policies.jws', 'terms.rule', 'terms.asset'])
    .where('terms.session', '=', session)
    .orderBy('terms.asset')
    .execute();
  const rules: Rule[] = [];
  for (const row of rows) {
    const { payload } = await verifyObject(POLICY, row.jws, owner);
    rules.push(...payload.allow.filter(rule => rule.id === row.rule));
  }
  return rules;
}
