import { chmod, lstat, mkdir, mkdtemp, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { asOrdinaryUser } from '../testing/ordinary-user.js';
import { createStage, openFolders, outputsOf, outputsState } from './stage.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stage-'));
  await chmod(folder, 0o777);
});

afterAll(() => rm(folder, { recursive: true }));

test('folders above the outputs that a cell has locked hide them from no runner', async () => {
  await asOrdinaryUser(async () => {
    const stage = await createStage(join(folder, 'locked'), '{}', []);
    const outputs = outputsOf(stage, 'deep/er');
    await mkdir(outputs, { recursive: true });
    for (const path of ['deep/er', 'deep', '.']) await chmod(join(stage.workspace, path), 0o000);
    await openFolders(stage, 'deep/er');
    expect(await outputsState(stage, outputs)).toBe('kept');
    expect((await lstat(outputs)).isDirectory()).toBe(true);
  });
});

test('a link in the place of a folder above the outputs is not followed', async () => {
  const outside = join(folder, 'outside');
  await mkdir(outside);
  await chmod(outside, 0o711);
  const stage = await createStage(join(folder, 'linked'), '{}', []);
  await symlink(outside, join(stage.workspace, 'deep'));
  await mkdir(join(outside, 'outputs'));
  await openFolders(stage, 'deep');
  expect((await stat(outside)).mode & 0o777).toBe(0o711);
  expect(await outputsState(stage, outputsOf(stage, 'deep'))).toBe('foreign');
});
