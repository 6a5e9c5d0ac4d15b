import { beforeAll, describe, expect, test } from 'vitest';
import { groupChecks } from '@cloister/protocol';
import type { ReportPageInput } from '../build-report-page.js';
import { RUN_AT, changeReport, createTestPage, tamper } from '../testing/test-pages.js';
import type { EmbeddedData } from './embedded-data.js';
import { verifyEmbedded, type Outcome } from './outcome.js';

let simulated: ReportPageInput;
let genuine: ReportPageInput;

beforeAll(async () => {
  simulated = await createTestPage();
  genuine = await createTestPage({ genuine: true });
});

const check = ({ report, trust, policy }: ReportPageInput, now = RUN_AT): Promise<Outcome> =>
  verifyEmbedded({ report: report.slice(), trust, exportedAt: '2026-06-02T08:30:00.000Z', ...(policy === undefined ? {} : { policy }) } satisfies EmbeddedData, now);
const ids = ({ checks }: Outcome, status: string): string[] => checks.filter(item => item.status === status).map(item => item.id);

test('a genuine report is verified, also twenty years later', async () => {
  for (const now of [RUN_AT, new Date('2046-06-01T12:00:00.000Z')]) {
    const outcome = await check(genuine, now);
    expect(ids(outcome, 'fail')).toEqual([]);
    expect(outcome.verdict).toBe('verified');
    expect(ids(outcome, 'simulated')).toEqual([]);
  }
});

test('a simulated report passes no check of the hardware', async () => {
  const outcome = await check(simulated);
  expect(outcome.verdict).toBe('simulated');
  expect(ids(outcome, 'simulated')).toContain('hardware');
  expect(ids(outcome, 'pass')).not.toContain('hardware');
});

test('a tampered report fails, whatever the page trusts', async () => {
  for (const page of [simulated, genuine]) {
    const outcome = await check(changeReport(page, tamper));
    expect(outcome.verdict).toBe('failed');
    expect(outcome.evidence).toBeUndefined();
    expect(ids(outcome, 'pass')).toEqual([]);
  }
});

describe('could not check', () => {
  test.each<[string, (page: ReportPageInput) => ReportPageInput, string]>([
    ['without a policy', page => ({ ...page, policy: undefined }), 'policy'],
    ['without reference values', page => ({ ...page, trust: { ...page.trust, images: [] } }), 'image'],
    ['where nobody pinned an owner', page => ({ ...page, trust: { ...page.trust, owners: [] } }), 'owners'],
    ['where nobody pinned the verifier', page => ({ ...page, trust: { ...page.trust, verifiers: [] } }), 'issuer']
  ])('%s', async (_, change, id) => {
    const outcome = await check(change(genuine));
    expect(outcome.verdict).toBe('inconclusive');
    expect(ids(outcome, 'unknown')).toContain(id);
  });
});

test.each([
  ['nothing', '', 'not JSON'],
  ['no JSON', 'PNG', 'not JSON'],
  ['one key twice', '{"v":1,"v":1}', 'not JSON'],
  ['another document', '{"v":7}', 'invalid_object']
])('a file that is no report: %s', async (_, text, why) => {
  const outcome = await check(changeReport(genuine, () => text));
  expect(outcome.verdict).toBe('failed');
  expect(outcome.unreadable).toContain(why);
});

test('every check of a report has its question', async () => {
  for (const page of [genuine, simulated, changeReport(genuine, () => '{}')]) {
    const { checks } = await check(page);
    const questions = groupChecks(checks);
    expect(questions.flatMap(question => question.checks).map(item => item.id).sort()).toEqual(checks.map(item => item.id).sort());
    expect(questions.map(question => question.id)).not.toContain('other');
  }
});
