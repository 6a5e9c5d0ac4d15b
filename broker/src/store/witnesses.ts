import { Digest, type CompactJws } from '@cloister/protocol';
import type { Store } from './tables.js';

/** A statement that this broker saw verified: witnessed, or refused since another one was. */
export interface SeenStatement {
  readonly job: Digest;
  readonly attempt: number;
  readonly statement: Digest;
  /** Absent where another statement of the attempt was witnessed before. */
  readonly witness?: CompactJws;
}

/** What became of a statement that was seen before. `other`: the attempt's witness is of another one. */
export type Seen = { readonly witness: string } | { readonly other: string };

export async function seenStatement(store: Store, statement: Digest): Promise<Seen | undefined> {
  const row = await store.selectFrom('witnesses').selectAll().where('statement', '=', statement).executeTakeFirst();
  if (row === undefined) return undefined;
  if (row.jws !== null) return { witness: row.jws };
  const other = await witnessOf(store, row);
  return other === undefined ? undefined : { other: other.jws };
}

/** The one witness of an attempt. */
export async function witnessOf(
  store: Store,
  { job, attempt }: { readonly job: string; readonly attempt: number }
): Promise<{ readonly statement: Digest; readonly jws: string } | undefined> {
  const rows = await store.selectFrom('witnesses').select(['statement', 'jws']).where('job', '=', job).where('attempt', '=', attempt).execute();
  for (const { statement, jws } of rows) if (jws !== null) return { statement: Digest.parse(statement), jws };
  return undefined;
}

export async function keepStatement(store: Store, { job, attempt, statement, witness }: SeenStatement): Promise<void> {
  await store.insertInto('witnesses').values({ job, attempt, statement, jws: witness ?? null }).execute();
}
