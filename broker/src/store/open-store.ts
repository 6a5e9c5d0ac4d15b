import { openDatabase, type OpenDatabase } from '@cloister/kit';
import { AppError, toTime, type Thumbprint } from '@cloister/protocol';
import { join } from 'node:path';
import { factOf, setFact } from './facts.js';
import { MIGRATIONS } from './migrations.js';
import type { Store, Tables } from './tables.js';
import { dropExpiredReservations } from './uses.js';

/**
 * Opens the database of a state directory and makes sure that it belongs to this owner and broker.
 * @throws AppError config_invalid
 */
export async function openStore(stateDir: string, whose: { readonly owner: Thumbprint; readonly broker: Thumbprint }, now: Date): Promise<OpenDatabase<Tables>> {
  const database = openDatabase<Tables>(join(stateDir, 'broker.sqlite'), MIGRATIONS);
  try {
    await requireFact(database.db, 'owner', whose.owner);
    await requireFact(database.db, 'broker', whose.broker);
    await dropExpiredReservations(database.db, toTime(now));
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

async function requireFact(store: Store, name: 'owner' | 'broker', value: Thumbprint): Promise<void> {
  const known = await factOf(store, name);
  if (known === undefined) await setFact(store, name, value);
  else if (known !== value) throw new AppError('config_invalid', `this state belongs to another ${name}: ${known}`);
}
