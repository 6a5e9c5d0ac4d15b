import type { Digest, RuleUse, Time } from '@cloister/protocol';
import type { Store } from './tables.js';

/** A job of which uses are counted. Without an attempt every released attempt counts as another one. */
export interface UsingJob {
  readonly job: Digest;
  readonly attempt: number | undefined;
}

/** What was used of an asset under each of these rules, without this very job and attempt. */
export async function usesOf(
  store: Store,
  asset: { readonly name: string; readonly rules: readonly string[] },
  { job, attempt }: UsingJob,
  now: Time
): Promise<ReadonlyMap<string, RuleUse>> {
  const uses = new Map<string, RuleUse>();
  for (const rule of asset.rules) {
    const jobs = await store.selectFrom('uses').select('expires_at').where('name', '=', asset.name).where('rule', '=', rule).where('job', '!=', job).execute();
    const attempts = await store.selectFrom('attempts').select('attempt').where('name', '=', asset.name).where('rule', '=', rule).where('job', '=', job).execute();
    uses.set(rule, {
      jobsReleased: jobs.filter(row => row.expires_at === null).length,
      jobsReserved: jobs.filter(row => row.expires_at !== null && row.expires_at > now).length,
      attempts: attempts.filter(row => row.attempt !== attempt).length
    });
  }
  return uses;
}

/** Counts that the owner reads: jobs and attempts to which keys were released under a rule. */
export async function releasedUnder(store: Store, name: string, rule: string): Promise<{ jobs: number; attempts: number }> {
  const jobs = await store.selectFrom('uses').select('job').where('name', '=', name).where('rule', '=', rule).where('expires_at', 'is', null).execute();
  const attempts = await store.selectFrom('attempts').select('job').where('name', '=', name).where('rule', '=', rule).execute();
  return { jobs: jobs.length, attempts: attempts.length };
}

/**
 * Reserves one use of a rule for a job, once: neither asking again nor asking after its end prolongs it, since whoever
 * holds a manifest may ask, and would keep the last use from all others. Without a reservation a job may still be
 * released where a use is left. A use that was consumed stays consumed.
 */
export async function reserveUse(store: Store, use: { readonly name: string; readonly rule: string; readonly job: Digest }, expiresAt: Time): Promise<void> {
  await store
    .insertInto('uses')
    .values({ ...use, expires_at: expiresAt })
    .onConflict(conflict => conflict.columns(['name', 'rule', 'job']).doNothing())
    .execute();
}

/** Consumes the use and the attempt, and frees what the job had reserved under other rules of the asset. */
export async function consumeUse(
  store: Store,
  use: { readonly name: string; readonly rule: string; readonly job: Digest; readonly attempt: number }
): Promise<void> {
  const { name, rule, job, attempt } = use;
  await store
    .insertInto('uses')
    .values({ name, rule, job, expires_at: null })
    .onConflict(conflict => conflict.columns(['name', 'rule', 'job']).doUpdateSet({ expires_at: null }))
    .execute();
  await store
    .deleteFrom('uses')
    .where('name', '=', name)
    .where('rule', '!=', rule)
    .where('job', '=', job)
    .where('expires_at', 'is not', null)
    .execute();
  await store.insertInto('attempts').values({ name, rule, job, attempt }).onConflict(conflict => conflict.doNothing()).execute();
}

/** When the first use that another job reserves here is freed, at the latest. */
export async function nextReservationEnd(store: Store, names: readonly string[], job: Digest, now: Time): Promise<Time | undefined> {
  const row = await store
    .selectFrom('uses')
    .select('expires_at')
    .where('name', 'in', names)
    .where('job', '!=', job)
    .where('expires_at', '>', now)
    .orderBy('expires_at')
    .limit(1)
    .executeTakeFirst();
  return row?.expires_at ?? undefined;
}

/** Forgets all counts of an asset: a recovered policy states the remaining uses itself. */
export async function restartCounts(store: Store, name: string): Promise<void> {
  await store.deleteFrom('uses').where('name', '=', name).execute();
  await store.deleteFrom('attempts').where('name', '=', name).execute();
}

export async function dropExpiredReservations(store: Store, now: Time): Promise<void> {
  await store.deleteFrom('uses').where('expires_at', '<=', now).execute();
}
