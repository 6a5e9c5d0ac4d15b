import { expect, test } from 'vitest';
import { createRateLimit } from './rate-limit.js';

test('a key has its burst, then its rate, and takes nothing from another', () => {
  let ms = 0;
  const limit = createRateLimit({ perSecond: 10, burst: 3 }, { now: () => new Date(ms) });
  for (let at = 0; at < 3; at += 1) limit('a');
  expect(() => limit('a')).toThrow('rate_limited');
  limit('b');
  ms += 100;
  limit('a');
  expect(() => limit('a')).toThrow('rate_limited');
  ms += 60_000;
  for (let at = 0; at < 3; at += 1) limit('a');
  expect(() => limit('a')).toThrow('rate_limited');
});

test('a clock that goes back gives nothing', () => {
  let ms = 1000;
  const limit = createRateLimit({ perSecond: 10, burst: 1 }, { now: () => new Date(ms) });
  limit('a');
  ms = 0;
  expect(() => limit('a')).toThrow('rate_limited');
});
