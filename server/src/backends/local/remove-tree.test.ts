import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isGone, removeTree } from './remove-tree.js';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'clo-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const tree = () => join(root, 'tree');

test.each([
  { what: 'a file', make: () => writeFile(tree(), 'x') },
  { what: 'folders nested deeper than a path can be long', make: async () => {
    await mkdir(tree());
    execFileSync('python3', ['-c', 'import os\nfor i in range(60): os.mkdir("d" * 250); os.chdir("d" * 250)\nopen("f", "w").close()'], { cwd: tree() });
  } },
  { what: 'folders that nobody may enter', make: async () => {
    await mkdir(join(tree(), 'closed', 'inner'), { recursive: true });
    await writeFile(join(tree(), 'closed', 'inner', 'f'), 'x');
    for (const path of [join(tree(), 'closed', 'inner'), join(tree(), 'closed'), tree()]) await chmod(path, 0);
  } },
  { what: 'names that are no UTF-8, or look like options', make: async () => {
    await mkdir(tree());
    for (const name of [Buffer.from([0xff, 0xfe]), Buffer.from('-rf'), Buffer.from('a\nb')]) await writeFile(Buffer.concat([Buffer.from(`${tree()}/`), name]), 'x');
  } }
])('$what: removed', async ({ make }) => {
  await make();
  expect(await removeTree(tree())).toBe(true);
  expect(await readdir(root)).toEqual([]);
});

test('what a link points to stays as it is', async () => {
  await mkdir(join(root, 'other'));
  await writeFile(join(root, 'other', 'f'), 'kept');
  await mkdir(tree());
  await symlink(join(root, 'other'), join(tree(), 'link'));
  expect(await removeTree(tree())).toBe(true);
  expect(await readFile(join(root, 'other', 'f'), 'utf8')).toBe('kept');
});

test('what is missing counts as removed, also for several at once', async () => {
  await mkdir(join(tree(), 'a', 'b'), { recursive: true });
  expect(await Promise.all(Array.from({ length: 4 }, () => removeTree(tree())))).toEqual([true, true, true, true]);
  expect(await removeTree(tree())).toBe(true);
  expect(await removeTree(join(root, 'no', 'such', 'folder'))).toBe(true);
});

test('what nobody can look at does not count as gone', async () => {
  expect(await isGone(join(root, 'x'.repeat(300)))).toBe(false);
  expect(await removeTree(join(root, 'x'.repeat(300)))).toBe(false);
});
