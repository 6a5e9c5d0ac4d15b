import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createPrivateFile, ensurePrivateDirectory, readPrivateFile, readPrivateFileIfThere, replacePrivateFile, requirePrivateDirectory } from './index.js';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cloister-private-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test('a new file is for its owner only, and is never written over', async () => {
  const path = join(directory, 'key');
  await createPrivateFile(path, 'one');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  await expect(createPrivateFile(path, 'two')).rejects.toMatchObject({ code: 'file_exists' });
  expect((await readPrivateFile(path)).toString()).toBe('one');
  expect(await readdir(directory)).toEqual(['key']);
});

test('a replaced file is whole, private, and leaves nothing beside it', async () => {
  const path = join(directory, 'state');
  await writeFile(path, 'old', { mode: 0o644 });
  await replacePrivateFile(path, Buffer.from('new'));
  expect(await readFile(path, 'utf8')).toBe('new');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(directory)).toEqual(['state']);
});

test.each<[string, (path: string) => Promise<void>, string]>([
  ['can be read by the group', async path => writeFile(path, 'k').then(() => chmod(path, 0o640)), 'key_unsafe'],
  ['can be read by all', async path => writeFile(path, 'k').then(() => chmod(path, 0o604)), 'key_unsafe'],
  ['is a link', async path => writeFile(`${path}.real`, 'k', { mode: 0o600 }).then(() => symlink(`${path}.real`, path)), 'key_unsafe'],
  ['is a directory', async path => mkdir(path, { mode: 0o700 }).then(() => undefined), 'key_unsafe'],
  ['is a pipe that nobody writes to', async path => void execFileSync('mkfifo', ['-m', '600', path]), 'key_unsafe'],
  ['is missing', async () => undefined, 'key_missing']
])('a key file that %s is refused', async (_, make, code) => {
  const path = join(directory, 'key');
  await make(path);
  await expect(readPrivateFile(path)).rejects.toMatchObject({ code });
});

test('a key file that may be missing is asked for without an error, and one that others can read is still refused', async () => {
  const path = join(directory, 'key');
  expect(await readPrivateFileIfThere(path)).toBeUndefined();
  await writeFile(path, 'k', { mode: 0o644 });
  await expect(readPrivateFileIfThere(path)).rejects.toMatchObject({ code: 'key_unsafe' });
});

test('a directory is made private, and one that others can enter is refused', async () => {
  const fresh = join(directory, 'a', 'b');
  await ensurePrivateDirectory(fresh);
  expect((await stat(fresh)).mode & 0o777).toBe(0o700);
  await ensurePrivateDirectory(fresh);
  await chmod(fresh, 0o755);
  await expect(ensurePrivateDirectory(fresh)).rejects.toMatchObject({ code: 'key_unsafe' });
});

test.each<[string, (path: string) => Promise<unknown>, string | undefined]>([
  ['ours alone', async path => mkdir(path, { mode: 0o700 }), undefined],
  ['not there', async () => undefined, undefined],
  ['open to others', async path => mkdir(path).then(() => chmod(path, 0o711)), 'key_unsafe'],
  ['a link to one of ours', async path => mkdir(`${path}.real`, { mode: 0o700 }).then(() => symlink(`${path}.real`, path)), 'key_unsafe'],
  ['a file', async path => writeFile(path, '', { mode: 0o600 }), 'key_unsafe']
])('a directory to connect in that is %s: %s', async (_, make, code) => {
  const path = join(directory, 'run');
  await make(path);
  const checked = requirePrivateDirectory(path);
  if (code === undefined) await expect(checked).resolves.toBeUndefined();
  else await expect(checked).rejects.toMatchObject({ code });
});
