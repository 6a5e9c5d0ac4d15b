import { expect, test } from 'vitest';
import { createBrokerPatience } from './broker-patience.js';

function patienceAt(limit?: number): { patience: ReturnType<typeof createBrokerPatience>; advance: (ms: number) => void } {
  let now = Date.parse('2026-06-01T12:00:00.000Z');
  return { patience: createBrokerPatience({ now: () => new Date(now) }, limit), advance: ms => (now += ms) };
}

test('a silent broker is left alone for longer and longer, a minute at most', () => {
  const { patience, advance } = patienceAt();
  const pauses = Array.from({ length: 9 }, () => {
    expect(patience.pause('a')).toBe(0);
    patience.silent('a');
    const pause = patience.pause('a');
    advance(pause);
    return pause;
  });
  expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

test('one tries whether it is back, and the others do not wait for that', () => {
  const { patience, advance } = patienceAt();
  patience.silent('a');
  advance(1000);
  expect(patience.pause('a')).toBe(0);
  expect(patience.pause('a')).toBe(60_000);
  patience.answered('a');
  expect([patience.pause('a'), patience.pause('a')]).toEqual([0, 0]);
});

test('one broker’s silence is nothing to another, and not all are remembered', () => {
  const { patience } = patienceAt(2);
  patience.silent('a');
  expect(patience.pause('b')).toBe(0);
  patience.silent('b');
  patience.silent('c');
  expect([patience.pause('a'), patience.pause('b'), patience.pause('c')]).toEqual([0, 1000, 1000]);
});
