import { expect, test } from 'vitest';

import { median, percentile, rounded } from './statistics.js';

test.each([
  { values: [3, 1, 2], middle: 2 },
  { values: [10, 9, 1, 2], middle: 5.5 },
  { values: [7], middle: 7 },
  { values: [], middle: Number.NaN }
])('the median of $values is $middle', ({ values, middle }) => {
  expect(median(values)).toBe(middle);
});

test.each([
  { share: 0.95, value: 38 },
  { share: 0.5, value: 20 },
  { share: 1, value: 40 },
  { share: 0, value: 1 }
])('of 1 to 40, the part $share is at most $value', ({ share, value }) => {
  expect(percentile(Array.from({ length: 40 }, (_, at) => 40 - at), share)).toBe(value);
});

test('the percentile of nothing is no number', () => {
  expect(percentile([], 0.95)).toBeNaN();
});

test('four digits are kept, large or small', () => {
  expect([123_456, 0.000_123_456, 1].map(rounded)).toEqual([123_500, 0.000_123_5, 1]);
});
