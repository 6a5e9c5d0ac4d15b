import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nullTranslator } from '@jupyterlab/translation';
import { ERRORS, JOB_STATES, isErrorCode, retryMayHelp, type JobView } from '@cloister/protocol';
import { ownJob } from '../jobs/testing/fake-agent';
import { endInWords, turnInWords } from './job-end-words';
import { nameOf, ownersOf, shortTime, stateInWords } from './job-words';

const trans = nullTranslator.load('cloister');
const root = join(import.meta.dirname, '../../..');

test.each<[Partial<JobView>, string]>([
  [{ state: 'queued', attempt: 0 }, 'Waiting for a machine'],
  [{ state: 'waiting', attempt: 0 }, 'Waits for hospital’s approval'],
  [{ state: 'launching' }, 'Starting the TEE'],
  [{ state: 'launching', attempt: 2 }, 'Starting the TEE again, attempt 2'],
  [{ state: 'attesting' }, 'Proving itself to the data owners'],
  [{ state: 'running' }, 'Running'],
  [{ state: 'running', cells: { done: 6, total: 12 } }, 'Running, cell 7 of 12'],
  [{ state: 'running', cells: { done: 12, total: 12 } }, 'Running, cell 12 of 12'],
  [{ state: 'sealing' }, 'Sealing outputs'],
  [{ state: 'succeeded' }, 'Finished, not opened yet'],
  [{ state: 'failed', cells: { done: 3, total: 9 } }, 'Failed after 3 of 9 cells'],
  [{ state: 'failed' }, 'Failed'],
  [{ state: 'cancelled' }, 'Cancelled'],
  [{ state: 'lost' }, 'Lost: the machine ended without a result']
])('says %o in words', (view, words) => {
  expect(stateInWords(ownJob(1, view), trans)).toBe(words);
});

test('there are words for every state, and opened outputs are said', () => {
  for (const state of JOB_STATES) expect(stateInWords(ownJob(1, { state }), trans)).not.toBe('');
  expect(stateInWords(ownJob(1, { state: 'succeeded' }, { results: 'results/study-1' }), trans)).toBe('Finished, outputs opened');
});

test('names every owner once', () => {
  const own = ownJob(1, { state: 'waiting' }, { inputs: ['hospital/visits', 'hospital/labs', 'registry/deaths'] });
  expect(ownersOf(own)).toEqual(['hospital', 'registry']);
  expect(stateInWords(own, trans)).toBe('Waits for approval by hospital or registry');
  expect(stateInWords(ownJob(1, { state: 'waiting' }, { inputs: [] }), trans)).toBe('Waits for an owner’s approval');
});

test('a name is the file’s, and a job from elsewhere says so', () => {
  expect(nameOf(ownJob(1, {}, { notebook: 'a/b/study.ipynb' }), trans)).toBe('study.ipynb');
  expect(nameOf({ view: ownJob(1).view, denials: [] }, trans)).toBe('Sent from another machine');
});

test('every code of the error table has a reason, a turn and a next step', () => {
  for (const code of Object.keys(ERRORS)) {
    const { happened, next, turn } = endInWords(code, trans);
    expect(happened, code).toMatch(/\.$/);
    expect(next, code).toMatch(/\.$/);
    expect(turnInWords(turn, trans), code).toMatch(/turn:$/);
  }
});

/** Codes in string literals of the sources that decide how a job ends. */
function codesIn(folder: string, pattern: RegExp): string[] {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.ts') && !/\.test\.ts$|testing/.test(file));
  const codes = files.flatMap(file => [...readFileSync(join(root, folder, file), 'utf8').matchAll(pattern)].map(match => match[1] ?? ''));
  return [...new Set(codes)].filter(isErrorCode);
}

test('the codes by which server and runner end jobs have words of their own', () => {
  const ends = [
    ...codesIn('runner/src', /(?:AppError|failed)\('([a-z_]+)'/g),
    ...codesIn('runner/src', /code: '([a-z_]+)'/g),
    ...codesIn('server/src/jobs', /kind: '(?:fail|end_attempt|deny|hold)', code: '([a-z_]+)'/g),
    ...codesIn('server/src/jobs', /FINAL[^[]*\[\s*'([a-z_]+)'/g),
    'runner_lost', 'cancelled', 'storage_full', 'released_never', 'asset_not_here', 'policy_missing', 'code_not_bound', 'wrong_signer', 'uses_exhausted', 'attempts_exhausted'
  ];
  expect(ends.length).toBeGreaterThan(30);
  const without = ends.filter(code => endInWords(code, trans).next.startsWith('No job should end'));
  expect(without).toEqual([]);
});

test('Retry is advised only where there is a button for it', () => {
  for (const code of Object.keys(ERRORS)) {
    const state = code === 'runner_lost' ? 'lost' : code === 'cancelled' ? 'cancelled' : 'failed';
    if (/retry/i.test(endInWords(code, trans).next)) expect(retryMayHelp(ownJob(1, { state, code }).view), code).toBe(true);
  }
});

test('an unknown code is said to be unknown, and cannot be markup', () => {
  const { happened, turn } = endInWords('<b>new\u202e</b>', trans);
  expect(turn).toBe('you');
  expect(happened).toBe('The operator gives a reason that this version of Cloister does not know: <b>newU+202E</b>.');
});

test('the time of a job has its day unless that is today', () => {
  const now = new Date(2026, 5, 15, 12);
  expect(shortTime(new Date(2026, 5, 15, 8, 42).toISOString(), now)).toMatch(/^\d{1,2}:42( AM)?$/);
  expect(shortTime(new Date(2026, 5, 14, 8, 42).toISOString(), now)).toMatch(/14.*:42/);
  expect(shortTime(new Date(2026, 5, 14, 8, 42).toISOString(), now)).not.toContain('2026');
  expect(shortTime(new Date(2025, 5, 15, 8, 42).toISOString(), now)).toContain('2025');
});
