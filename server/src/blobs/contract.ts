import { digestOf } from '@cloister/protocol';
import { describe, expect, test } from 'vitest';
import type { BlobName, BlobStore } from './port.js';

const BYTES = new TextEncoder().encode('sealed bytes');
const OTHER = new TextEncoder().encode('other bytes');
const DIGEST = digestOf(BYTES);
const NAMES: readonly BlobName[] = [
  { kind: 'bundle', digest: DIGEST },
  { kind: 'asset', digest: DIGEST },
  { kind: 'output', job: DIGEST, attempt: 1, output: 0 },
  { kind: 'output', job: DIGEST, attempt: 1, output: 'index' },
  { kind: 'report', job: DIGEST, attempt: 1 }
];
const OUTPUT: BlobName = { kind: 'output', job: DIGEST, attempt: 2, output: 7 };

/** What every blob store promises. `open` gives an empty store, or with the same `place` the one used before. */
export function describeBlobStore(name: string, open: (place: string) => Promise<BlobStore>): void {
  describe(name, () => {
    let places = 0;
    const fresh = async (): Promise<BlobStore> => open(`place-${(places += 1)}`);

    test.each(NAMES)('keeps and gives back $kind', async blob => {
      const store = await fresh();
      expect(await store.open(blob)).toBeUndefined();
      expect(await store.put(blob, pieces(BYTES), DIGEST)).toEqual({ created: true, size: BYTES.length });
      expect(await contentOf(store, blob)).toEqual(Buffer.from(BYTES));
    });

    test('keeps apart what has different names', async () => {
      const store = await fresh();
      for (const blob of NAMES) await store.put(blob, pieces(BYTES), DIGEST);
      await store.delete({ kind: 'bundle', digest: digestOf(OTHER) });
      await store.delete({ kind: 'job', job: digestOf(OTHER) });
      for (const blob of NAMES) expect((await store.open(blob))?.size).toBe(BYTES.length);
    });

    test('refuses other bytes than announced and keeps nothing of them', async () => {
      const store = await fresh();
      await expect(store.put(OUTPUT, pieces(OTHER), DIGEST)).rejects.toMatchObject({ code: 'digest_mismatch' });
      expect(await store.open(OUTPUT)).toBeUndefined();
    });

    test('keeps nothing of a stream that breaks off', async () => {
      const store = await fresh();
      await expect(store.put(OUTPUT, broken(), DIGEST)).rejects.toThrow('gone');
      expect(await store.open(OUTPUT)).toBeUndefined();
    });

    test('writes a name once: the same bytes are fine, others are refused', async () => {
      const store = await fresh();
      await store.put(OUTPUT, pieces(BYTES), DIGEST);
      expect(await store.put(OUTPUT, pieces(BYTES), DIGEST)).toEqual({ created: false, size: BYTES.length });
      await expect(store.put(OUTPUT, pieces(OTHER), digestOf(OTHER))).rejects.toMatchObject({ code: 'already_exists' });
      await expect(store.put(OUTPUT, pieces(OTHER), DIGEST)).rejects.toMatchObject({ code: 'digest_mismatch' });
      expect(await contentOf(store, OUTPUT)).toEqual(Buffer.from(BYTES));
    });

    test('makes one blob of twenty writers at once', async () => {
      const store = await fresh();
      const results = await Promise.all(Array.from({ length: 20 }, () => store.put(OUTPUT, pieces(BYTES), DIGEST)));
      expect(results.filter(result => result.created)).toHaveLength(1);
      expect(await contentOf(store, OUTPUT)).toEqual(Buffer.from(BYTES));
    });

    test('deletes all that a job left, and deletes it again', async () => {
      const store = await fresh();
      for (const blob of NAMES) await store.put(blob, pieces(BYTES), DIGEST);
      await store.delete({ kind: 'job', job: DIGEST });
      await store.delete({ kind: 'job', job: DIGEST });
      const left = await Promise.all(NAMES.map(async blob => ((await store.open(blob)) === undefined ? [] : [blob.kind])));
      expect(left.flat()).toEqual(['bundle', 'asset']);
    });

    test('deletes a bundle and nothing else', async () => {
      const store = await fresh();
      for (const blob of NAMES) await store.put(blob, pieces(BYTES), DIGEST);
      await store.delete({ kind: 'bundle', digest: DIGEST });
      const left = await Promise.all(NAMES.map(async blob => ((await store.open(blob)) === undefined ? [] : [blob.kind])));
      expect(left.flat()).toEqual(['asset', 'output', 'output', 'report']);
    });

    test('has everything after it is opened again', async () => {
      const before = await open('again');
      await before.put(OUTPUT, pieces(BYTES), DIGEST);
      expect(await contentOf(await open('again'), OUTPUT)).toEqual(Buffer.from(BYTES));
    });
  });
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array, undefined> {
  for (let at = 0; at < bytes.length; at += 5) yield bytes.subarray(at, at + 5);
}

async function* broken(): AsyncGenerator<Uint8Array, undefined> {
  yield BYTES.subarray(0, 3);
  throw new Error('gone');
}

async function contentOf(store: BlobStore, name: BlobName): Promise<Buffer> {
  const blob = await store.open(name);
  const parts: Uint8Array[] = [];
  for await (const piece of blob?.bytes ?? []) parts.push(piece);
  return Buffer.concat(parts);
}
