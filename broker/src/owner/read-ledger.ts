import { replacePrivateFile } from '@cloister/kit';
import { AppError, BROKER_ROUTES, Count, Digest, callRoute, jcs, type LedgerEntry } from '@cloister/protocol';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { LEDGER_START, followChain, verifyLedger } from '../ledger/verify-ledger.js';
import { openOwner } from './owner.js';
import { pinnedBroker } from './pin-broker.js';
import { ownerClient, type OwnerDeps } from './publish.js';
import { readRecord } from './records.js';

const SeenPoint = z.strictObject({ v: z.literal(1), seq: Count, entry: z.union([Digest, z.literal('none')]) });

/**
 * Reads the pinned broker's whole ledger, verifies its chain up to the signed head, and that it still holds the last
 * entry that this owner saw before: a ledger that was cut short or replaced is noticed at the next contact. After a
 * recovery that she signed herself she may accept the loss, once: `acceptLoss`.
 * @throws AppError ledger_broken | wrong_signer
 */
export async function readLedger(deps: OwnerDeps, { acceptLoss = false }: { readonly acceptLoss?: boolean } = {}): Promise<readonly LedgerEntry[]> {
  const owner = await openOwner(deps.ownerDir);
  const { url, description } = await pinnedBroker(owner);
  const client = ownerClient(owner, deps, url);
  const entries: LedgerEntry[] = [];
  let head: string | undefined;
  let point = LEDGER_START;
  for (;;) {
    const page = await callRoute(client, BROKER_ROUTES.getLedger, { query: { after: String(entries.length) } });
    head = page.head;
    // The head comes with each page; only one that comes with no more entries is where ours end.
    if (page.entries.length === 0) break;
    point = followChain(page.entries, point);
    entries.push(...page.entries);
  }
  await verifyLedger({ entries: [], head }, description.broker, point);
  const seenFile = join(owner.dir, 'ledger-seen.json');
  const seen = (await readRecord(seenFile, SeenPoint)) ?? { v: 1, ...LEDGER_START };
  const there = followChain(entries.slice(0, seen.seq), LEDGER_START);
  const isLost = there.seq !== seen.seq || there.entry !== seen.entry;
  if (isLost && !(acceptLoss && entries.some(entry => entry.kind === 'recovery'))) {
    throw new AppError('ledger_broken', `the ledger does not hold entry ${seen.seq} as you saw it before`, {
      hint: 'Where you restored the broker from a backup and signed a higher policy since, accept the loss; else do not trust this broker.'
    });
  }
  await replacePrivateFile(seenFile, `${jcs({ v: 1, seq: point.seq, entry: point.entry })}\n`);
  return entries;
}
