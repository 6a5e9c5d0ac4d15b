import { sql, type Kysely, type Transaction } from 'kysely';
import type { CatalogPage, CatalogStore, NewAsset } from '../port.js';
import type { Tables } from './tables.js';

export function createSqliteCatalogStore(db: Kysely<Tables>): CatalogStore {
  return {
    add: async (asset, now) => db.transaction().execute(async trx => addAsset(trx, asset, now)),
    find: async asset => db.selectFrom('assets').select(['asset', 'owner', 'descriptor']).where('asset', '=', asset).executeTakeFirst(),
    list: async page => listAssets(db, page)
  };
}

async function addAsset(trx: Transaction<Tables>, asset: NewAsset, now: Date): Promise<'added' | 'same' | 'other'> {
  const { owner, name, version, descriptor } = asset;
  const known = await trx
    .selectFrom('assets')
    .select('asset')
    .where('owner', '=', owner)
    .where('name', '=', name)
    .where('version', '=', version)
    .executeTakeFirst();
  if (known !== undefined) return known.asset === asset.asset ? 'same' : 'other';
  await trx.insertInto('assets').values({ asset: asset.asset, owner, name, version, descriptor, added_at: now.getTime() }).execute();
  return 'added';
}

async function listAssets(db: Kysely<Tables>, { owner, after, limit }: CatalogPage): Promise<NewAsset[]> {
  let query = db
    .selectFrom('assets')
    .select(['asset', 'owner', 'name', 'version', 'descriptor'])
    .where(eb => {
      const newer = eb
        .selectFrom('assets as newer')
        .select('newer.version')
        .whereRef('newer.owner', '=', 'assets.owner')
        .whereRef('newer.name', '=', 'assets.name')
        .whereRef('newer.version', '>', 'assets.version');
      return eb.not(eb.exists(newer));
    });
  if (owner !== undefined) query = query.where('owner', '=', owner);
  if (after !== undefined) query = query.where(sql<boolean>`(owner, name) > (${after.owner}, ${after.name})`);
  return query.orderBy('owner').orderBy('name').limit(limit).execute();
}
