import { expect, test } from 'vitest';
import { JobView, retryMayHelp, type JobState } from './job.js';

const jobIn = (state: JobState, code?: string): JobView =>
  JobView.parse({
    job: `sha256:${'0'.repeat(64)}`, id: '0190a0a0-0000-7000-8000-000000000000', state, attempt: 1, version: 1,
    createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z', ...(code === undefined ? {} : { code })
  });

test.each<readonly [JobState, string | undefined, boolean]>([
  ['lost', 'runner_lost', true],
  ['lost', undefined, true],
  ['cancelled', 'cancelled', true],
  ['failed', 'launch_failed', true],
  ['failed', 'storage_full', true],
  ['failed', 'deadline_exceeded', false],
  ['failed', 'cell_failed', false],
  ['failed', 'release_denied', false],
  ['failed', 'of_a_newer_server', false],
  ['failed', undefined, false],
  ['succeeded', undefined, false],
  ['running', 'runner_lost', false],
  ['waiting', 'approval_missing', false]
])('a job that is %s (%s): a retry may help: %s', (state, code, helps) => {
  expect(retryMayHelp(jobIn(state, code))).toBe(helps);
});
