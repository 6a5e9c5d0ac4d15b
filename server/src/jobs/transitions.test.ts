import { JOB_STATES, Digest, type JobState, createId, Thumbprint } from '@cloister/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JobRecord } from './job.js';
import { isEnded, isForward, transition, type JobInput } from './transitions.js';

const NOW = new Date('2026-03-01T12:00:00.000Z');
const REPORT = Digest.parse(`sha256:${'a'.repeat(64)}`);

function jobIn(state: JobState, overrides: Partial<JobRecord> = {}): JobRecord {
  return {
    job: Digest.parse(`sha256:${'1'.repeat(64)}`),
    id: createId(NOW),
    analyst: Thumbprint.parse('A'.repeat(43)),
    bundle: REPORT,
    notAfter: new Date(NOW.getTime() + 3_600_000),
    maxAttempts: 2,
    state,
    attempt: state === 'queued' || state === 'waiting' ? 0 : 1,
    version: 7,
    createdAt: NOW,
    updatedAt: NOW,
    ...overrides
  };
}

const INPUTS: readonly JobInput[] = [
  { kind: 'hold', code: 'approval_missing' },
  { kind: 'begin' },
  { kind: 'attest' },
  { kind: 'progress', state: 'attesting' },
  { kind: 'progress', state: 'running', cells: { done: 1, total: 3 } },
  { kind: 'progress', state: 'sealing' },
  { kind: 'publish', report: REPORT, outcome: { status: 'succeeded' } },
  { kind: 'publish', report: REPORT, outcome: { status: 'failed', code: 'cell_failed' } },
  { kind: 'end_attempt', code: 'runner_lost', again: true },
  { kind: 'end_attempt', code: 'release_denied', again: false },
  { kind: 'fail', code: 'manifest_expired' },
  { kind: 'cancel' }
];

const TAKEN: readonly (readonly [JobState, JobInput['kind'], JobState])[] = [
  ['queued', 'hold', 'waiting'],
  ['queued', 'begin', 'launching'],
  ['waiting', 'begin', 'launching'],
  ['launching', 'attest', 'attesting'],
  ['attesting', 'cancel', 'cancelled'],
  ['running', 'fail', 'failed'],
  ['queued', 'cancel', 'cancelled']
];

test.each(TAKEN)('%s takes %s and becomes %s', (from, kind, to) => {
  const [input] = INPUTS.filter(item => item.kind === kind);
  expect(input === undefined ? undefined : transition(jobIn(from), input, NOW)?.state).toBe(to);
});

test.each(JOB_STATES.filter(state => isEnded({ state })))('%s takes nothing', state => {
  for (const input of INPUTS) expect(transition(jobIn(state), input, NOW)).toBeUndefined();
});

test.each(['queued', 'waiting', 'launching'] as const)('%s takes no report', state => {
  expect(transition(jobIn(state), { kind: 'publish', report: REPORT, outcome: { status: 'succeeded' } }, NOW)).toBeUndefined();
});

test('a lost runner is tried again while attempts and time are left', () => {
  const lost: JobInput = { kind: 'end_attempt', code: 'runner_lost', again: true };
  expect(transition(jobIn('running'), lost, NOW)).toMatchObject({ state: 'launching', attempt: 2, work: { kind: 'launch', tries: 0 } });
  expect(transition(jobIn('running', { attempt: 2 }), lost, NOW)).toMatchObject({ state: 'lost', attempt: 2, code: 'runner_lost' });
  expect(transition(jobIn('running', { notAfter: NOW }), lost, NOW)).toMatchObject({ state: 'lost', attempt: 1 });
});

test('what would fail again is not tried again', () => {
  expect(transition(jobIn('attesting'), { kind: 'end_attempt', code: 'release_denied', again: false }, NOW)).toEqual({ state: 'failed', attempt: 1, code: 'release_denied' });
});

test('late and shrinking progress is no news', () => {
  const job = jobIn('running', { cells: { done: 5, total: 9 } });
  expect(transition(job, { kind: 'progress', state: 'attesting' }, NOW)).toBeUndefined();
  expect(transition(job, { kind: 'progress', state: 'running', cells: { done: 4, total: 9 } }, NOW)).toBeUndefined();
  expect(transition(job, { kind: 'progress', state: 'running', cells: { done: 6, total: 9 } }, NOW)).toEqual({ state: 'running', attempt: 1, cells: { done: 6, total: 9 } });
});

test('(attempt, state) never goes back, whatever happens in whatever order', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...INPUTS), { maxLength: 60 }), inputs => {
      let job = jobIn('queued', { maxAttempts: 5 });
      for (const input of inputs) {
        const to = transition(job, input, NOW);
        if (to === undefined) continue;
        expect(isForward(job, to)).toBe(true);
        expect(to.attempt).toBeLessThanOrEqual(5);
        const cells = to.cells === undefined ? {} : { cells: to.cells };
        job = jobIn(to.state, { attempt: to.attempt, maxAttempts: 5, version: job.version + 1, ...cells });
      }
    })
  );
});
