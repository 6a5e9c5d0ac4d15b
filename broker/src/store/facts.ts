import type { FactName, Store } from './tables.js';

export async function factOf(store: Store, name: FactName): Promise<string | undefined> {
  const row = await store.selectFrom('facts').select('value').where('name', '=', name).executeTakeFirst();
  return row?.value;
}

export async function setFact(store: Store, name: FactName, value: string): Promise<void> {
  await store
    .insertInto('facts')
    .values({ name, value })
    .onConflict(conflict => conflict.column('name').doUpdateSet({ value }))
    .execute();
}
