import { expect, test } from 'vitest';

import { delaysOf } from './row-delays.js';

const BEGUN = new Map([
  ['a.ipynb', [100, 200]],
  ['b.ipynb', [150]]
]);

test('each change is compared with the same one of its row, whatever order rows changed in', () => {
  const changes = [
    { name: 'b.ipynb', said: 'Running', at: 155 },
    { name: 'a.ipynb', said: 'Starting the TEE', at: 110 },
    { name: 'a.ipynb', said: 'Running', at: 230 },
    { name: 'another.ipynb', said: 'Running', at: 1 }
  ];
  expect(delaysOf(changes, BEGUN)).toEqual([10, 30, 5]);
});

test('a row that skipped a change is no figure', () => {
  const changes = [{ name: 'a.ipynb', said: 'Running', at: 230 }];
  expect(() => delaysOf(changes, BEGUN)).toThrow('a.ipynb changed 2 times, its row 1 times: Running');
});
