import { LEDGER_HEAD, digestOfJson, signObject, toTime, type LedgerEntry, type LedgerHead, type Signer } from '@cloister/protocol';
import { createTestSigner } from '@cloister/protocol/testing';
import { expect, test } from 'vitest';
import { codeOf } from '../testing/refusals.js';
import { LEDGER_START, verifyLedger } from './verify-ledger.js';

const broker = await createTestSigner();
const time = toTime(new Date());
const entries: LedgerEntry[] = [];
for (let seq = 1; seq <= 4; seq += 1) {
  const last = entries.at(-1);
  entries.push({ v: 1, seq, time, previous: last === undefined ? 'none' : digestOfJson(last), kind: 'policy', asset: 'table', policy: digestOfJson(seq), version: seq });
}
const end = { seq: 4, entry: digestOfJson(entries[3]) };

async function headOf(change: Partial<LedgerHead> = {}, signer: Signer = broker): Promise<string> {
  return (await signObject(LEDGER_HEAD, { v: 1, broker: broker.thumbprint, ...end, time, ...change }, signer)).jws;
}

test('a chain that ends at its signed head is verified, from the start or from a point seen before', async () => {
  expect(await verifyLedger({ entries, head: await headOf() }, broker.thumbprint)).toEqual(end);
  const seen = { seq: 2, entry: digestOfJson(entries[1]) };
  expect(await verifyLedger({ entries: entries.slice(2), head: await headOf() }, broker.thumbprint, seen)).toEqual(end);
  expect(await verifyLedger({ entries: [], head: undefined }, broker.thumbprint)).toEqual(LEDGER_START);
});

const TAMPERED: readonly { readonly name: string; readonly change: (entries: LedgerEntry[]) => LedgerEntry[] }[] = [
  { name: 'removed', change: list => list.toSpliced(1, 1) },
  { name: 'removed at the end', change: list => list.slice(0, -1) },
  { name: 'changed', change: list => list.with(1, { ...entryAt(1), asset: 'other' }) },
  { name: 'changed, the last one', change: list => list.with(3, { ...entryAt(3), asset: 'other' }) },
  { name: 'moved', change: list => [entryAt(1), entryAt(0), ...list.slice(2)] },
  { name: 'repeated', change: list => list.toSpliced(1, 0, entryAt(0)) },
  { name: 'added', change: list => [...list, { ...entryAt(3), seq: 5, previous: end.entry }] }
];
function entryAt(at: number): Extract<LedgerEntry, { kind: 'policy' }> {
  const entry = entries[at];
  if (entry?.kind !== 'policy') throw new Error('no such entry');
  return entry;
}
test.each(TAMPERED)('an entry $name breaks the ledger', async ({ change }) => {
  expect(await codeOf(verifyLedger({ entries: change(entries), head: await headOf() }, broker.thumbprint))).toBe('ledger_broken');
});

test('a head by another key, of another broker, or none at all breaks it', async () => {
  const other = await createTestSigner();
  expect(await codeOf(verifyLedger({ entries, head: await headOf({}, other) }, broker.thumbprint))).toBe('wrong_signer');
  expect(await codeOf(verifyLedger({ entries, head: await headOf({ broker: other.thumbprint }) }, broker.thumbprint))).toBe('ledger_broken');
  expect(await codeOf(verifyLedger({ entries, head: undefined }, broker.thumbprint))).toBe('ledger_broken');
});
