import type { Digest } from '@cloister/protocol';
import type { Store } from './tables.js';

export interface Binding {
  readonly job: Digest;
  readonly attempt: number;
  readonly recipient: string;
  readonly key: string;
}

/** The highest attempt of a job that keys were released to. Lower ones are fenced off. */
export async function highestReleased(store: Store, job: Digest): Promise<number | undefined> {
  const row = await store.selectFrom('bindings').select('attempt').where('job', '=', job).orderBy('attempt', 'desc').limit(1).executeTakeFirst();
  return row?.attempt;
}

/**
 * Whether the attempt may have these keys: it has them already, or neither it nor any other attempt of any job has
 * keys of its own that differ. Keys are fresh per attempt.
 */
export async function mayBind(store: Store, wanted: Binding): Promise<boolean> {
  const rows = await store
    .selectFrom('bindings')
    .selectAll()
    .where(column =>
      column.or([
        column.and([column('job', '=', wanted.job), column('attempt', '=', wanted.attempt)]),
        column('recipient', '=', wanted.recipient),
        column('key', '=', wanted.key)
      ])
    )
    .execute();
  return rows.every(
    row => row.job === wanted.job && row.attempt === wanted.attempt && row.recipient === wanted.recipient && row.key === wanted.key
  );
}

export async function bind(store: Store, binding: Binding): Promise<void> {
  await store.insertInto('bindings').values(binding).onConflict(conflict => conflict.columns(['job', 'attempt']).doNothing()).execute();
}

/** The reply that was given to a session, for a retry with equal bytes. */
export async function replyOf(store: Store, session: string): Promise<string | undefined> {
  const row = await store.selectFrom('replies').select('sealed').where('session', '=', session).executeTakeFirst();
  return row?.sealed;
}

export async function keepReply(store: Store, session: string, sealed: string): Promise<void> {
  await store.insertInto('replies').values({ session, sealed }).execute();
}
