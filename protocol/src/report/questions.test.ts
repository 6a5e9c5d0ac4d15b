import { expect, test } from 'vitest';
import { createTestReport, createTestVerifier, createTestWorld } from '../testing/index.js';
import { groupChecks, worstOf } from './questions.js';
import type { ShownCheck, ShownStatus } from './shown-checks.js';
import { verifyReport } from './verify.js';

const check = (status: ShownStatus, id = 'code'): ShownCheck => ({ id, title: id, status });

test.each<[ShownStatus[], ShownStatus]>([
  [['pass', 'pass'], 'pass'],
  [['pass', 'simulated'], 'simulated'],
  [['simulated', 'skipped'], 'skipped'],
  [['skipped', 'unknown'], 'unknown'],
  [['unknown', 'fail', 'pass'], 'fail'],
  [[], 'skipped']
])('the worst of %j is %s', (statuses, worst) => {
  expect(worstOf(statuses.map(status => check(status)))).toBe(worst);
});

test('every check of a report has its question, and the questions come in their order', async () => {
  const { report } = await createTestReport(await createTestWorld(), await createTestVerifier());
  const { checks } = await verifyReport(report, { trust: { v: 1, owners: [], verifiers: [], images: [] }, now: new Date(0) });
  const questions = groupChecks(checks.map(({ id }) => check('pass', id)));
  expect(questions.map(({ id }) => id)).toEqual(['hardware', 'current', 'code', 'image', 'fresh', 'outputs', 'keys']);
  expect(questions.flatMap(question => question.checks)).toHaveLength(checks.length);
});

test('a check that nobody knows is shown under other checks, also one named like a member of every object', () => {
  const questions = groupChecks([check('pass'), check('fail', 'invented'), check('pass', 'constructor')]);
  expect(questions.map(({ id, status, checks }) => [id, status, checks.length])).toEqual([['code', 'pass', 1], ['other', 'fail', 2]]);
});
