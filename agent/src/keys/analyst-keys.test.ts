import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AppError } from '@cloister/protocol';
import { openKeys, readKeys } from './analyst-keys.js';
import { backupKeys, restoreKeys } from './key-backup.js';

const PASSPHRASE = 'four words nobody guesses';
let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cloister-keys-'));
  path = join(folder, 'agent', 'keys.json');
});
afterEach(async () => rm(folder, { recursive: true }));

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error: unknown) => (error instanceof AppError ? error.code : String(error))
  );

test('keys are made once, for their owner only, and stay', async () => {
  const made = await openKeys(path);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(join(folder, 'agent'))).mode & 0o777).toBe(0o700);
  const again = await openKeys(path);
  expect([again.signer.thumbprint, again.identity]).toEqual([made.signer.thumbprint, made.identity]);
});

test('processes that start at once agree on one pair', async () => {
  const all = await Promise.all(Array.from({ length: 8 }, async () => openKeys(path)));
  expect(new Set(all.map(keys => keys.signer.thumbprint)).size).toBe(1);
});

test('a backup is an age file that gives the keys back, and only with its passphrase', async () => {
  const made = await openKeys(path);
  const backup = join(folder, 'backup.age');
  await backupKeys(path, backup, PASSPHRASE);
  const bytes = await readFile(backup, 'latin1');
  expect(bytes.startsWith('age-encryption.org/v1\n-> scrypt ')).toBe(true);
  expect(bytes).not.toContain(made.identity);
  const elsewhere = join(folder, 'new', 'keys.json');
  expect(await codeOf(restoreKeys(elsewhere, backup, 'another passphrase'))).toBe('sealed_for_another');
  await restoreKeys(elsewhere, backup, PASSPHRASE);
  expect((await readKeys(elsewhere)).signer.thumbprint).toBe(made.signer.thumbprint);
  expect(await codeOf(restoreKeys(path, backup, PASSPHRASE))).toBe('file_exists');
  expect(await codeOf(backupKeys(path, backup, PASSPHRASE))).toBe('file_exists');
}, 60_000);

test('a short passphrase, a missing backup and a damaged key file are refused, without the file’s content in the error', async () => {
  await openKeys(path);
  expect(await codeOf(backupKeys(path, join(folder, 'b'), 'short'))).toBe('usage');
  expect(await codeOf(restoreKeys(join(folder, 'k'), join(folder, 'nowhere'), PASSPHRASE))).toBe('usage');
  await writeFile(path, '{"v":1,"identity":"AGE-SECRET-KEY-1SECRET"}', { mode: 0o600 });
  const error: unknown = await readKeys(path).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(AppError);
  expect(JSON.stringify(error) + String(error)).not.toContain('SECRET-KEY');
});
