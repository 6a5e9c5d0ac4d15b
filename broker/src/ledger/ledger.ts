import { LEDGER_HEAD, LedgerEntry, AppError, digestOf, jcs, parseJcs, signObject, toTime, toUtf8, Digest, type CompactJws, type Signer } from '@cloister/protocol';
import type { Store } from '../store/tables.js';
import { LEDGER_START, followChain, type LedgerPoint } from './verify-ledger.js';

type Draft<E> = E extends LedgerEntry ? Omit<E, 'v' | 'seq' | 'time' | 'previous'> : never;

/** What a ledger entry says, before it has its place in the chain. */
export type LedgerDraft = Draft<LedgerEntry>;

/** Appends within the caller's transaction: what is released is recorded, or neither. */
export async function appendEntry(store: Store, draft: LedgerDraft, now: Date): Promise<Digest> {
  const head = await ledgerPoint(store);
  const entry = LedgerEntry.parse({ ...draft, v: 1, seq: head.seq + 1, time: toTime(now), previous: head.entry });
  const text = jcs(entry);
  const digest = digestOf(toUtf8(text));
  await store.insertInto('ledger').values({ seq: entry.seq, digest, entry: text }).execute();
  return digest;
}

/** The last entry's place. */
export async function ledgerPoint(store: Store): Promise<LedgerPoint> {
  const row = await store.selectFrom('ledger').select(['seq', 'digest']).orderBy('seq', 'desc').limit(1).executeTakeFirst();
  return row === undefined ? LEDGER_START : { seq: row.seq, entry: Digest.parse(row.digest) };
}

export async function hasEntry(store: Store, point: LedgerPoint): Promise<boolean> {
  if (point.seq === 0) return true;
  const row = await store.selectFrom('ledger').select('digest').where('seq', '=', point.seq).executeTakeFirst();
  return row?.digest === point.entry;
}

/** The entry of that digest: a receipt names the record of its release. */
export async function entryOf(store: Store, digest: Digest): Promise<LedgerEntry | undefined> {
  const row = await store.selectFrom('ledger').select('entry').where('digest', '=', digest).executeTakeFirst();
  return row === undefined ? undefined : LedgerEntry.parse(parseJcs(toUtf8(row.entry)));
}

export async function entriesAfter(store: Store, seq: number, limit: number): Promise<LedgerEntry[]> {
  const rows = await store.selectFrom('ledger').select('entry').where('seq', '>', seq).orderBy('seq').limit(limit).execute();
  return rows.map(row => LedgerEntry.parse(parseJcs(toUtf8(row.entry))));
}

/** A signed checkpoint of the whole ledger, or undefined while it is empty. */
export async function signHead(store: Store, signer: Signer, now: Date): Promise<CompactJws | undefined> {
  const { seq, entry } = await ledgerPoint(store);
  if (entry === 'none') return undefined;
  return (await signObject(LEDGER_HEAD, { v: 1, broker: signer.thumbprint, seq, entry, time: toTime(now) }, signer)).jws;
}

const PAGE = 1000;

/**
 * Verifies the chain after a point, at start. Owners verify all of it; here the point is the last one known to hold.
 * @throws AppError ledger_broken
 */
export async function requireChain(store: Store, from: LedgerPoint): Promise<void> {
  let point = from;
  for (;;) {
    const entries = await entriesAfter(store, point.seq, PAGE);
    if (entries.length === 0) break;
    point = followChain(entries, point);
  }
  const head = await ledgerPoint(store);
  if (head.seq !== point.seq || head.entry !== point.entry) throw new AppError('ledger_broken', `the digest kept for entry ${head.seq} is not its own`);
}
