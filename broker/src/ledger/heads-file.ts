import * as z from 'zod/mini';
import { ensurePrivateDirectory, readPrivateFileIfThere, replacePrivateFile } from '@cloister/kit';
import { AppError, AssetName, Count, Digest, Thumbprint, jcs, parseJson } from '@cloister/protocol';
import { dirname } from 'node:path';
import type { Store } from '../store/tables.js';
import { ledgerPoint } from './ledger.js';
import type { LedgerPoint } from './verify-ledger.js';

/**
 * What the broker keeps outside its database, so that a database restored from a backup is noticed: the ledger's head
 * and the version of every policy in force.
 */
export const OutsideHeads = z.strictObject({
  v: z.literal(1),
  broker: Thumbprint,
  seq: Count,
  entry: z.union([Digest, z.literal('none')]),
  policies: z.record(AssetName, Count)
});
export type OutsideHeads = z.infer<typeof OutsideHeads>;

/** @throws AppError config_invalid where the file is not ours */
export async function readHeads(path: string, broker: Thumbprint): Promise<OutsideHeads | undefined> {
  const bytes = await readPrivateFileIfThere(path);
  if (bytes === undefined) return undefined;
  const parsed = OutsideHeads.safeParse(parseJson(bytes));
  if (!parsed.success) throw new AppError('config_invalid', 'the file of outside heads is not well formed', { cause: parsed.error });
  if (parsed.data.broker !== broker) throw new AppError('config_invalid', 'the file of outside heads belongs to another broker');
  return parsed.data;
}

export interface HeadsFile {
  /**
   * Brings the file up to the database. To be awaited after a commit and before its result is told to anybody: what
   * was never told need not be remembered.
   */
  readonly settle: () => Promise<void>;
}

/** `known`: what the file says already. */
export async function createHeadsFile(
  path: string,
  options: { readonly store: Store; readonly broker: Thumbprint; readonly known: OutsideHeads | undefined }
): Promise<HeadsFile> {
  await ensurePrivateDirectory(dirname(path));
  let written: LedgerPoint = { seq: options.known?.seq ?? -1, entry: options.known?.entry ?? 'none' };
  let running: Promise<void> = Promise.resolve();
  const write = async (): Promise<void> => {
    const heads = await currentHeads(options.store, options.broker);
    if (heads.seq === written.seq && heads.entry === written.entry) return;
    await replacePrivateFile(path, `${jcs(heads)}\n`);
    written = { seq: heads.seq, entry: heads.entry };
  };
  return {
    // One writer at a time; a caller's own commit came before its turn, so its turn covers it.
    settle: () => {
      running = running.then(write, write);
      return running;
    }
  };
}

/** Highest versions: of a policy that a rollback lost, the lost one. */
async function currentHeads(store: Store, broker: Thumbprint): Promise<OutsideHeads> {
  return store.transaction().execute(async trx => {
    const point = await ledgerPoint(trx);
    const rows = [...(await trx.selectFrom('policies').select(['name', 'version']).execute()), ...(await trx.selectFrom('rollbacks').selectAll().execute())];
    const policies: Record<string, number> = {};
    for (const { name, version } of rows) policies[name] = Math.max(policies[name] ?? 0, version);
    return { v: 1, broker, seq: point.seq, entry: point.entry, policies };
  });
}
