import { expect, test } from 'vitest';

import { compare, takeTurns } from './pairs.js';

test('both sides run in turns, and each is first every other time', async () => {
  const order: string[] = [];
  const side = (name: string) => async (run: number) => {
    order.push(`${name}${run}`);
    return run;
  };
  expect(await takeTurns(3, { ours: side('ours'), peer: side('peer') })).toEqual([0, 1, 2].map(run => ({ ours: run, peer: run })));
  expect(order).toEqual(['ours0', 'peer0', 'peer1', 'ours1', 'ours2', 'peer2']);
});

test('the ratio is of pairs, so a load that slows one pair does not move it', () => {
  const pairs = [
    { ours: 2, peer: 1 },
    { ours: 200, peer: 100 },
    { ours: 4, peer: 2 }
  ];
  expect(compare(pairs)).toEqual({ ours: 4, peer: 2, ratio: 2, runs: 3 });
});

test('a side that fails ends the comparison', async () => {
  const fails = async (): Promise<number> => Promise.reject(new Error('broken'));
  await expect(takeTurns(2, { ours: fails, peer: async () => 1 })).rejects.toThrow('broken');
});
