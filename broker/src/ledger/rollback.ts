import { toTime } from '@cloister/protocol';
import { voidApprovals } from '../approvals/approvals.js';
import { deleteAllChallenges } from '../store/challenges.js';
import { setFact } from '../store/facts.js';
import type { Store } from '../store/tables.js';
import type { OutsideHeads } from './heads-file.js';
import { hasEntry, ledgerPoint } from './ledger.js';

/**
 * Compares the database with the outside heads, at start. A database that lacks the outside head, or a policy version
 * that was in force, was restored from a backup: what it released since is forgotten. So may be one whose outside heads
 * are gone. Then challenges and approvals are void, and every asset is out of service until its owner states by a
 * higher policy version what remains.
 * @returns whether the database was restored
 */
export async function detectRollback(store: Store, outside: OutsideHeads | undefined, now: Date): Promise<boolean> {
  return store.transaction().execute(async trx => {
    const versions = await knownVersions(trx);
    if (await isCurrent(trx, outside, versions)) return false;
    for (const [name, version] of Object.entries(outside?.policies ?? {})) versions.set(name, Math.max(versions.get(name) ?? 0, version));
    for (const name of await assetNames(trx)) versions.set(name, versions.get(name) ?? 0);
    for (const [name, version] of versions) {
      await trx
        .insertInto('rollbacks')
        .values({ name, version })
        .onConflict(conflict => conflict.column('name').doUpdateSet({ version }))
        .execute();
    }
    await deleteAllChallenges(trx);
    await voidApprovals(trx);
    await setFact(trx, 'restored_at', toTime(now));
    return true;
  });
}

/** Before the first entry there is nothing to forget, and no outside file yet. */
async function isCurrent(store: Store, outside: OutsideHeads | undefined, versions: ReadonlyMap<string, number>): Promise<boolean> {
  if (outside === undefined) return (await ledgerPoint(store)).seq === 0;
  const lostPolicy = Object.entries(outside.policies).some(([name, version]) => (versions.get(name) ?? 0) < version);
  return !lostPolicy && (await hasEntry(store, outside));
}

async function knownVersions(store: Store): Promise<Map<string, number>> {
  const rows = [...(await store.selectFrom('policies').select(['name', 'version']).execute()), ...(await store.selectFrom('rollbacks').selectAll().execute())];
  const versions = new Map<string, number>();
  for (const { name, version } of rows) versions.set(name, Math.max(versions.get(name) ?? 0, version));
  return versions;
}

async function assetNames(store: Store): Promise<string[]> {
  const rows = await store.selectFrom('descriptors').select('name').distinct().execute();
  return rows.map(row => row.name);
}

/** The version that a policy must exceed before the asset is back in service; undefined where it is in service. */
export async function rolledBackTo(store: Store, name: string): Promise<number | undefined> {
  const row = await store.selectFrom('rollbacks').select('version').where('name', '=', name).executeTakeFirst();
  return row?.version;
}

export async function rolledBackAssets(store: Store): Promise<string[]> {
  const rows = await store.selectFrom('rollbacks').select('name').orderBy('name').execute();
  return rows.map(row => row.name);
}

export async function endRollback(store: Store, name: string): Promise<void> {
  await store.deleteFrom('rollbacks').where('name', '=', name).execute();
}
