import { describe, expect, test } from 'vitest';
import { AppError } from '@cloister/protocol';
import { retry, systemClock, type Clock } from './index.js';

function stoppedClock(): { clock: Clock; slept: number[] } {
  const slept: number[] = [];
  const sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted();
    slept.push(ms);
  };
  return { clock: { now: () => new Date(0), sleep }, slept };
}

function failing(times: number, error: Error): { work: () => Promise<string>; tries: () => number } {
  let tries = 0;
  const work = async (): Promise<string> => {
    tries += 1;
    if (tries <= times) throw error;
    return 'done';
  };
  return { work, tries: () => tries };
}

const AGAIN = new AppError('unavailable', 'later');

test('what may succeed later is tried until it does, with pauses that double up to a bound', async () => {
  const { clock, slept } = stoppedClock();
  const { work } = failing(5, AGAIN);
  expect(await retry(work, { attempts: 9, clock, random: () => 0.5, baseMs: 100, maxMs: 500 })).toBe('done');
  expect(slept).toEqual([50, 100, 200, 250, 250]);
});

test('the last error is thrown when the tries are used', async () => {
  const { clock, slept } = stoppedClock();
  const { work, tries } = failing(9, AGAIN);
  await expect(retry(work, { attempts: 3, clock })).rejects.toBe(AGAIN);
  expect([tries(), slept.length]).toEqual([3, 2]);
});

describe.each([
  ['a refusal', new AppError('not_permitted', 'no'), 1],
  ['a bug', new TypeError('x is undefined'), 1],
  ['a refused connection', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), 2],
  ['an error of the disk', Object.assign(new Error('open'), { code: 'EACCES' }), 1]
])('%s', (_, error, expected) => {
  test(`is tried ${expected} of 2 times`, async () => {
    const { work, tries } = failing(9, error);
    await expect(retry(work, { attempts: 2, clock: stoppedClock().clock })).rejects.toBe(error);
    expect(tries()).toBe(expected);
  });
});

test('Retry-After is a lower bound of the pause', async () => {
  const { clock, slept } = stoppedClock();
  const { work } = failing(1, new AppError('use_reserved', 'busy', { members: { retryAfterSeconds: 7 } }));
  await retry(work, { attempts: 2, clock, random: () => 0.1, baseMs: 10 });
  expect(slept).toEqual([7000]);
});

test('an abort ends a pause at once', async () => {
  const controller = new AbortController();
  const reason = new Error('stop');
  const clock: Clock = {
    now: systemClock.now,
    sleep: (ms, signal) => {
      const sleeping = systemClock.sleep(ms, signal);
      controller.abort(reason);
      return sleeping;
    }
  };
  const hour = 3_600_000;
  const { work } = failing(1, AGAIN);
  const retrying = retry(work, { attempts: 2, clock, random: () => 1, baseMs: hour, maxMs: hour, signal: controller.signal });
  await expect(retrying).rejects.toBe(reason);
});
