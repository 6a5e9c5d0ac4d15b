import { AppError, LEDGER_HEAD, digestOfJson, verifyObject, type Digest, type LedgerEntry, type LedgerHead, type Thumbprint } from '@cloister/protocol';

/** Where a chain of entries begins: at the broker's first entry, or after one that was verified before. */
export interface LedgerPoint {
  /** 0 before the first entry. */
  readonly seq: number;
  readonly entry: Digest | 'none';
}

export const LEDGER_START: LedgerPoint = { seq: 0, entry: 'none' };

/**
 * Follows a hash chain: numbers without gaps, each entry naming the digest of the one before.
 * @returns the last point
 * @throws AppError ledger_broken
 */
export function followChain(entries: readonly LedgerEntry[], from: LedgerPoint): LedgerPoint {
  return entries.reduce<LedgerPoint>((point, entry) => {
    if (entry.seq !== point.seq + 1) throw new AppError('ledger_broken', `entry ${entry.seq} follows entry ${point.seq}`);
    if (entry.previous !== point.entry) throw new AppError('ledger_broken', `entry ${entry.seq} does not name the entry before it`);
    return { seq: entry.seq, entry: digestOfJson(entry) };
  }, from);
}

/**
 * Verifies a ledger against the broker's signed head. `from` is what was verified before: an owner who keeps it
 * notices a ledger that was cut short, replaced or told differently to two readers.
 * @throws AppError ledger_broken | wrong_signer | signature_invalid
 */
export async function verifyLedger(
  ledger: { readonly entries: readonly LedgerEntry[]; readonly head: string | undefined },
  broker: Thumbprint,
  from: LedgerPoint = LEDGER_START
): Promise<LedgerPoint> {
  const end = followChain(ledger.entries, from);
  if (ledger.head === undefined) {
    if (end.seq === 0) return end;
    throw new AppError('ledger_broken', 'the ledger has entries and no signed head');
  }
  const head: LedgerHead = (await verifyObject(LEDGER_HEAD, ledger.head, broker)).payload;
  if (head.broker !== broker) throw new AppError('ledger_broken', 'the head is of another broker');
  if (head.seq !== end.seq || head.entry !== end.entry) {
    throw new AppError('ledger_broken', `the head is at entry ${head.seq}, the entries end at ${end.seq} or differ there`);
  }
  return end;
}
