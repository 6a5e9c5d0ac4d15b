import { expect, test } from 'vitest';

import type { Measurement } from './figure.js';
import { MEASUREMENTS } from './measurements.js';
import { selectFigures } from './select.js';

const measurement = (...ids: string[]): Measurement => ({ ids, run: async () => [] });
const TWO = [measurement('notebook-1', 'notebook-10', 'notebook-demo'), measurement('decrypt-null')];

test.each([
  { words: [], wanted: [['notebook-1', 'notebook-10', 'notebook-demo'], ['decrypt-null']] },
  { words: ['notebook-1'], wanted: [['notebook-1']] },
  { words: ['notebook'], wanted: [['notebook-1', 'notebook-10', 'notebook-demo']] },
  { words: ['decrypt', 'notebook-demo'], wanted: [['notebook-demo'], ['decrypt-null']] }
])('$words selects $wanted', ({ words, wanted }) => {
  const selection = selectFigures(TWO, words);
  expect('selected' in selection && selection.selected.map(each => [...each.wanted])).toEqual(wanted);
});

test('words that name nothing are all told', () => {
  expect(selectFigures(TWO, ['note', 'decrypt', 'rss'])).toEqual({ unknown: ['note', 'rss'] });
});

test('every figure has an id of its own', () => {
  const ids = MEASUREMENTS.flatMap(each => each.ids);
  expect(new Set(ids).size).toBe(ids.length);
});
