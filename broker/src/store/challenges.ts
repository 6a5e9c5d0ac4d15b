import type { Time } from '@cloister/protocol';
import { sql } from 'kysely';
import type { Store, Tables } from './tables.js';

export type StoredChallenge = Tables['challenges'];

/** How many challenges may be open at once. What is dropped is unknown from then on, so nothing can be replayed. */
export interface ChallengeLimits {
  readonly perAnalyst: number;
  readonly total: number;
}

export async function insertChallenge(store: Store, challenge: StoredChallenge, limits: ChallengeLimits): Promise<void> {
  await store.deleteFrom('challenges').where('expires_at', '<=', challenge.created_at).execute();
  await store.insertInto('challenges').values(challenge).execute();
  const own = store.selectFrom('challenges').select('challenge').where('analyst', '=', challenge.analyst);
  // rowid grows with every insert: the order of arrival, whatever the clock did
  const oldestOwn = await own.orderBy(sql`rowid`, 'desc').offset(limits.perAnalyst).limit(limits.total).execute();
  const oldest = await store.selectFrom('challenges').select('challenge').orderBy(sql`rowid`, 'desc').offset(limits.total).limit(limits.total).execute();
  const dropped = [...oldestOwn, ...oldest].map(row => row.challenge);
  if (dropped.length > 0) await store.deleteFrom('challenges').where('challenge', 'in', dropped).execute();
}

/** The newest open challenge of an attempt that is good for longer than until then. */
export async function openChallenge(store: Store, { job, attempt }: Pick<StoredChallenge, 'job' | 'attempt'>, until: Time): Promise<StoredChallenge | undefined> {
  const open = store.selectFrom('challenges').selectAll().where('job', '=', job).where('attempt', '=', attempt).where('expires_at', '>', until);
  return open.orderBy('expires_at', 'desc').limit(1).executeTakeFirst();
}

/** An open challenge, or undefined where it is unknown, used or expired. */
export async function challengeOf(store: Store, challenge: string, now: string): Promise<StoredChallenge | undefined> {
  return store.selectFrom('challenges').selectAll().where('challenge', '=', challenge).where('expires_at', '>', now).executeTakeFirst();
}

export async function deleteChallenge(store: Store, challenge: string): Promise<void> {
  await store.deleteFrom('challenges').where('challenge', '=', challenge).execute();
}

export async function deleteAllChallenges(store: Store): Promise<void> {
  await store.deleteFrom('challenges').execute();
}
