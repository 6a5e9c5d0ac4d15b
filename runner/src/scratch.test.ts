import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { createScratch } from './scratch.js';
import { asOrdinaryUser } from './testing/ordinary-user.js';
import { nestBeyondPathMax } from './testing/over-long-paths.js';

const parents: string[] = [];

async function parent(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'scratch-test-'));
  // An ordinary user makes its scratch in it as well.
  await chmod(folder, 0o777);
  parents.push(folder);
  return folder;
}

afterEach(() => {
  for (const folder of parents.splice(0)) execFileSync('/bin/rm', ['-rf', '--', folder]);
});

test('folders nested beyond the longest path are removed', async () => {
  const folder = await parent();
  const scratch = await createScratch(folder);
  nestBeyondPathMax(scratch.sandbox);
  expect(await scratch.remove()).toBe(true);
  expect(await readdir(folder)).toEqual([]);
});

test('names that are not UTF-8 are removed', async () => {
  const folder = await parent();
  const scratch = await createScratch(folder);
  await mkdir(Buffer.concat([Buffer.from(`${scratch.sandbox}/`), Buffer.from([0xff])]));
  await writeFile(Buffer.concat([Buffer.from(`${scratch.sandbox}/`), Buffer.from([0xff, 0x2f, 0xfe])]), 'x');
  expect(await scratch.remove()).toBe(true);
  expect(await readdir(folder)).toEqual([]);
});

test('folders that nobody may enter are removed by a user who is not root, beyond the longest path too', async () => {
  const folder = await parent();
  await asOrdinaryUser(async () => {
    const scratch = await createScratch(folder);
    nestBeyondPathMax(scratch.sandbox, 0o000);
    await mkdir(join(scratch.workspace, 'locked'));
    await writeFile(join(scratch.workspace, 'locked/file'), 'x');
    await chmod(join(scratch.workspace, 'locked'), 0o000);
    expect(await scratch.remove()).toBe(true);
  });
  expect(await readdir(folder)).toEqual([]);
});

test('what cannot be removed is said and not thrown', async () => {
  const folder = await parent();
  await asOrdinaryUser(async () => {
    const own = await mkdtemp(join(folder, 'own-'));
    const scratch = await createScratch(own);
    await writeFile(join(scratch.inputs, '0'), 'data');
    await chmod(own, 0o500);
    expect(await scratch.remove()).toBe(false);
    // Of what was in it nothing stays all the same.
    expect(await readdir(scratch.root)).toEqual([]);
    await chmod(own, 0o700);
    await rm(own, { recursive: true });
  });
});
