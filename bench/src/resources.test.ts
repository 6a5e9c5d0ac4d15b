import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { createResources } from './resources.js';

test('folders are private, and gone at the end with what is in them', async () => {
  const resources = createResources(() => undefined);
  const folders = await Promise.all([resources.folder('a'), resources.folder('a'), resources.memoryFolder('a')]);
  expect(new Set(folders).size).toBe(3);
  for (const folder of folders) {
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    writeFileSync(join(folder, 'file'), 'x');
  }
  await resources.end();
  expect(folders.filter(folder => existsSync(folder))).toEqual([]);
  expect(resources.signal.aborted).toBe(true);
});

test('the last is ended first, each once, and one that fails is told and does not stop the others', async () => {
  const told: string[] = [];
  const ended: string[] = [];
  const resources = createResources(text => told.push(text));
  const end = (name: string) => resources.onEnd(async () => void ended.push(name));
  end('first');
  const now = end('early');
  resources.onEnd(async () => Promise.reject(new Error('stuck')));
  end('last');
  await now();
  await now();
  await resources.end();
  await resources.end();
  expect(ended).toEqual(['early', 'last', 'first']);
  expect(told).toEqual(['could not be cleaned up: Error: stuck']);
});

test('an end that is under way is waited for', async () => {
  const resources = createResources(() => undefined);
  let finish: () => void = () => undefined;
  let finished = false;
  const early = resources.onEnd(() => new Promise<void>(resolve => (finish = resolve)).then(() => void (finished = true)))();
  const end = resources.end().then(() => finished);
  finish();
  expect(await end).toBe(true);
  await early;
});
