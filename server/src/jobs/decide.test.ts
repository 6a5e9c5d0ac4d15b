import { Digest, createId, Thumbprint, type JobState } from '@cloister/protocol';
import { expect, test } from 'vitest';
import { TIDY_MS, decideInstance, decideJob, type JobAction, type JobFacts } from './decide.js';
import type { JobRecord } from './job.js';

const NOW = new Date('2026-03-01T12:00:00.000Z');
const at = (ms: number): Date => new Date(NOW.getTime() + ms);
const START = { kind: 'start', notBefore: NOW, tries: 0 } as const;
const LAUNCH = { kind: 'launch', notBefore: NOW, tries: 0 } as const;
const FACTS: JobFacts = { instance: 'absent', predecessors: false, slot: true };

function jobIn(state: JobState, notAfter = at(1000)): JobRecord {
  const digest = Digest.parse(`sha256:${'1'.repeat(64)}`);
  const attempt = state === 'queued' || state === 'waiting' ? 0 : 1;
  return { job: digest, id: createId(NOW), analyst: Thumbprint.parse('A'.repeat(43)), bundle: digest, notAfter, maxAttempts: 2, state, attempt, version: 1, createdAt: NOW, updatedAt: NOW };
}

const none: JobAction = { kind: 'none' };
const lost: JobAction = { kind: 'end_attempt', code: 'runner_lost' };
const expired: JobAction = { kind: 'fail', code: 'manifest_expired' };

const CASES: readonly (readonly [string, JobRecord, Partial<JobFacts>, JobAction])[] = [
  ['a queued job with a slot asks', jobIn('queued'), { work: START }, { kind: 'ask_brokers' }],
  ['a queued job without a slot stays', jobIn('queued'), { work: START, slot: false }, none],
  ['a waiting job asks again when it is due', jobIn('waiting'), { work: START }, { kind: 'ask_brokers' }],
  ['a waiting job is silent before', jobIn('waiting'), { work: { ...START, notBefore: at(1) } }, none],
  ['a queued job expires', jobIn('queued', NOW), { work: START, slot: false }, expired],
  ['a recorded attempt is launched', jobIn('launching'), { work: LAUNCH }, { kind: 'launch' }],
  ['a launch that failed waits', jobIn('launching'), { work: { ...LAUNCH, notBefore: at(1) } }, none],
  ['nothing is launched beside an earlier instance', jobIn('launching'), { work: LAUNCH, predecessors: true }, none],
  ['an instance that nobody recorded is adopted', jobIn('launching'), { work: LAUNCH, instance: 'starting' }, { kind: 'adopt' }],
  ['an instance that starts is waited for', jobIn('launching'), { instance: 'starting' }, none],
  ['an instance that runs is attesting', jobIn('launching'), { work: LAUNCH, instance: 'running' }, { kind: 'attest' }],
  ['an instance that is gone after its launch is lost', jobIn('launching'), {}, lost],
  ['a launching job expires', jobIn('launching', NOW), { work: LAUNCH }, expired],
  ['an attesting job expires', jobIn('attesting', NOW), { instance: 'running' }, expired],
  ['an attesting job is waited for', jobIn('attesting'), { instance: 'running' }, none],
  ['an instance that ended while attesting is lost', jobIn('attesting'), { instance: 'terminated' }, lost],
  ['its own word says why', jobIn('attesting'), { instance: 'terminated', claim: { code: 'sandbox_leaks', denials: [] } }, { kind: 'end_attempt', code: 'sandbox_leaks' }],
  ['a word without an end is only a word', jobIn('attesting'), { instance: 'running', claim: { code: 'sandbox_leaks', denials: [] } }, none],
  ['a running job does not expire', jobIn('running', NOW), { instance: 'running' }, none],
  ['a running job whose instance ended is lost', jobIn('running'), { instance: 'terminated' }, lost],
  ['a sealing job whose instance vanished is lost', jobIn('sealing'), {}, lost],
  ['an ended job is left alone', jobIn('succeeded', NOW), { instance: 'running' }, none],
  ['a cancelled job is left alone', jobIn('cancelled', NOW), { instance: 'running' }, none]
];

test.each(CASES)('%s', (_, job, facts, action) => {
  expect(decideJob(job, { ...FACTS, ...facts }, NOW)).toEqual(action);
});

const INSTANCES = [
  { title: 'without a job', status: 'running', state: undefined, ms: 0, decision: 'delete' },
  { title: 'of a running job', status: 'running', state: 'running', ms: 0, decision: 'keep' },
  { title: 'that ended, before its job was looked at', status: 'terminated', state: 'running', ms: 0, decision: 'keep' },
  { title: 'of a cancelled job', status: 'running', state: 'cancelled', ms: 0, decision: 'delete' },
  { title: 'that tidies up after its report', status: 'running', state: 'succeeded', ms: TIDY_MS - 1, decision: 'keep' },
  { title: 'that tidies up for too long', status: 'running', state: 'failed', ms: TIDY_MS, decision: 'delete' },
  { title: 'that tidied up', status: 'terminated', state: 'succeeded', ms: 0, decision: 'delete' },
  { title: 'of a job that waits', status: 'running', state: 'waiting', ms: 0, decision: 'delete' }
] as const;

test.each(INSTANCES)('an instance $title: $decision', ({ status, state, ms, decision }) => {
  const job = state === undefined ? undefined : { state, attempt: 1, updatedAt: NOW };
  expect(decideInstance({ status, attempt: 1 }, job, at(ms))).toBe(decision);
});

test('an instance of an earlier attempt goes', () => {
  expect(decideInstance({ status: 'running', attempt: 1 }, { state: 'running', attempt: 2, updatedAt: NOW }, NOW)).toBe('delete');
});
