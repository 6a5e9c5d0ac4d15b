import { beforeAll, expect, test } from 'vitest';
import { toBase64 } from '@cloister/protocol';
import { createTestPage } from '../testing/test-pages.js';
import { parseEmbedded } from './embedded-data.js';

let good: Record<string, unknown>;

beforeAll(async () => {
  const { report, trust, policy } = await createTestPage();
  good = { v: 1, exportedAt: '2026-06-02T08:30:00.000Z', report: toBase64(report), trust, policy };
});

test('a page without a policy has none', () => {
  expect(parseEmbedded(JSON.stringify({ ...good, policy: undefined })).policy).toBeUndefined();
  expect(parseEmbedded(JSON.stringify(good)).policy).toBeDefined();
});

test.each<[string, (data: Record<string, unknown>) => string]>([
  ['no JSON', () => '{'],
  ['one member twice', data => JSON.stringify(data).replace('{', '{"v":1,')],
  ['another version', data => JSON.stringify({ ...data, v: 2 })],
  ['no trust', data => JSON.stringify({ ...data, trust: undefined })],
  ['a trust with a member too many', data => JSON.stringify({ ...data, trust: Object.assign({ all: true }, data['trust']) })],
  ['a policy that leaves out a demand', data => JSON.stringify({ ...data, policy: Object.assign({}, data['policy'], { debug: undefined }) })],
  ['a policy that is nothing', data => JSON.stringify({ ...data, policy: null })],
  ['a report that is not base64', data => JSON.stringify({ ...data, report: '%' })],
  ['no time', data => JSON.stringify({ ...data, exportedAt: 'today' })]
])('refuses data with %s', (_, change) => {
  expect(() => parseEmbedded(change(good))).toThrow(expect.objectContaining({ name: 'AppError' }));
});
