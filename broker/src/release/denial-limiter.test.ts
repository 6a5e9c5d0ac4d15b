import { expect, test } from 'vitest';
import { createDenialLimiter } from './denial-limiter.js';

const at = (ms: number): Date => new Date(1_000_000 + ms);

test('a burst, then one by one as tokens come back, for each name', () => {
  const limiter = createDenialLimiter({ burst: 2, refillMs: 1000 });
  expect([limiter.take('a', at(0)), limiter.take('a', at(0)), limiter.take('a', at(0))]).toEqual([0, 0, 1000]);
  expect(limiter.take('b', at(0))).toBe(0);
  expect(limiter.take('a', at(400))).toBe(600);
  expect(limiter.take('a', at(1000))).toBe(0);
});

test('a clock that goes back refills nothing', () => {
  const limiter = createDenialLimiter({ burst: 1, refillMs: 1000 });
  expect(limiter.take('a', at(5000))).toBe(0);
  expect(limiter.take('a', at(0))).toBe(1000);
  expect(limiter.take('a', at(1000))).toBe(0);
});

test('names are bounded: the one that was idle longest is dropped', () => {
  const limiter = createDenialLimiter({ burst: 1, refillMs: 1_000_000 });
  limiter.take('first', at(0));
  for (let count = 0; count < 10_000; count += 1) limiter.take(String(count), at(1));
  expect(limiter.take('first', at(2))).toBe(0);
});
