import { expect, test } from 'vitest';
import { ATTESTATION_CHECK_IDS, verifyReport } from '@cloister/protocol';
import { EXPLANATIONS } from './explanations.js';

test('every check of tokens and reports is explained, and nothing else', async () => {
  const { checks } = await verifyReport('no report', { trust: { v: 1, owners: [], verifiers: [], images: [] }, now: new Date() });
  const ids = new Set([...ATTESTATION_CHECK_IDS, ...checks.map(check => check.id)]);
  expect(ids.size).toBeGreaterThan(45);
  expect([...EXPLANATIONS.keys()].sort()).toEqual([...ids].sort());
});

test('each explanation is two plain sentences that fit below a check', () => {
  for (const { means, matters } of EXPLANATIONS.values()) {
    for (const text of [means, matters]) {
      expect(text).toMatch(/^[A-Z].*\.$/);
      expect(text.length).toBeLessThan(160);
    }
  }
});
