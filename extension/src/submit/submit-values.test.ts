import { nullTranslator } from '@jupyterlab/translation';
import { expect, test } from 'vitest';
import { assetNames, initialValues, parseValues, purposeProblem, secondsOf, timeProblem, type TimeUnit } from './submit-values';

const trans = nullTranslator.load('cloister');
const at = (time: string, unit: TimeUnit = 'minutes') => ({ ...initialValues(60), time, unit });

test.each<[string, TimeUnit, number | undefined, RegExp | undefined]>([
  ['60', 'minutes', 3600, undefined],
  [' 1.5 ', 'hours', 5400, undefined],
  ['0,5', 'minutes', 30, undefined],
  ['0.017', 'minutes', 1, undefined],
  ['168', 'hours', 604_800, undefined],
  ['168.1', 'hours', undefined, /at most seven days/],
  ['99999999', 'hours', undefined, /at most seven days/],
  ['0', 'minutes', undefined, /at least one second/],
  ['-5', 'minutes', undefined, /at least one second/],
  ['0.001', 'minutes', undefined, /at least one second/],
  ['', 'minutes', undefined, /Enter how long/],
  ['soon', 'hours', undefined, /as a number/],
  ['1e999', 'hours', undefined, /at most seven days/]
])('a time limit of “%s” %s', (time, unit, seconds, problem) => {
  expect(secondsOf(at(time, unit))).toBe(seconds);
  if (problem === undefined) expect(timeProblem(at(time, unit), trans)).toBeUndefined();
  else expect(timeProblem(at(time, unit), trans)).toMatch(problem);
});

test.each([
  [4096, undefined],
  [4097, 'The purpose is too long by 1 character.'],
  [4100, 'The purpose is too long by 4 characters.']
])('a purpose of %i characters', (length, problem) => {
  expect(purposeProblem({ ...initialValues(60), purpose: 'x'.repeat(length) }, trans)).toBe(problem);
});

test('names of data, however they are set apart', () => {
  expect(assetNames({ ...initialValues(60), assets: ' hospital/a,registry/b ,\nstats/c ' })).toEqual(['hospital/a', 'registry/b', 'stats/c']);
});

test('what was kept comes back as it was', () => {
  const values = { time: '2', unit: 'hours' as const, purpose: 'p', custodians: ['a'], assets: 'b/c' };
  expect(parseValues(JSON.parse(JSON.stringify(values)))).toEqual(values);
});

test.each([[undefined], [null], ['text'], [{}], [{ time: 2, unit: 'hours', purpose: '', custodians: [], assets: '' }], [{ time: '2', unit: 'days', purpose: '', custodians: [], assets: '' }], [{ time: '2', unit: 'hours', purpose: '', custodians: [1], assets: '' }]])(
  'what was kept in another shape is as if nothing was: %j',
  kept => {
    expect(parseValues(kept)).toBeUndefined();
  }
);
