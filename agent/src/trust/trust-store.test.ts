import { readdirSync } from 'node:fs';
import { lstat, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Trust } from '@cloister/protocol';
import { codeOf } from '../testing/index.js';
import { NO_TRUST, addOwner } from './edit-trust.js';
import { readTrust } from './trust-files.js';
import { openTrustFile, saveTrust } from './trust-store.js';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cloister-trust-'));
  path = join(folder, 'trust.json');
});
afterEach(async () => rm(folder, { recursive: true }));

const withOwner = (trust: Trust, name: string): Trust => addOwner(trust, { name, thumbprint: `${name.charAt(0).repeat(42)}A` });

test('a missing file pins nobody; what is saved is private and is what is read', async () => {
  const file = await openTrustFile(path);
  expect(file.trust).toEqual(NO_TRUST);
  await saveTrust(file, withOwner(file.trust, 'hospital'));
  expect((await lstat(path)).mode & 0o777).toBe(0o600);
  expect(await readTrust(path)).toEqual(withOwner(NO_TRUST, 'hospital'));
});

test('of two who change it at once the second is refused, and the first one’s change stays', async () => {
  await saveTrust(await openTrustFile(path), NO_TRUST);
  const [first, second] = [await openTrustFile(path), await openTrustFile(path)];
  await saveTrust(first, withOwner(first.trust, 'hospital'));
  expect(await codeOf(saveTrust(second, withOwner(second.trust, 'registry')))).toBe('state_conflict');
  expect((await readTrust(path)).owners.map(owner => owner.name)).toEqual(['hospital']);
  expect(readdirSync(folder)).toEqual(['trust.json']);
});

test('twenty who change it at once lose nothing: each change is there or was refused', async () => {
  await saveTrust(await openTrustFile(path), NO_TRUST);
  const names = Array.from({ length: 20 }, (_, at) => `${String.fromCharCode(97 + at)}-owner`);
  const codes = await Promise.all(names.map(async name => codeOf(openTrustFile(path).then(async file => saveTrust(file, withOwner(file.trust, name))))));
  const made = names.filter((_, at) => codes[at] === 'no error');
  expect(made.length).toBeGreaterThan(0);
  expect((await readTrust(path)).owners.map(owner => owner.name).sort()).toEqual(made);
  expect(new Set(codes)).toEqual(new Set([...codes.filter(code => ['no error', 'state_conflict', 'state_locked'].includes(code))]));
  expect(readdirSync(folder)).toEqual(['trust.json']);
});

test('a file that came into being meanwhile is not written over', async () => {
  const file = await openTrustFile(path);
  await writeFile(path, 'another’s');
  expect(await codeOf(saveTrust(file, NO_TRUST))).toBe('file_exists');
  expect(await readFile(path, 'utf8')).toBe('another’s');
});

test('a file that is not well formed is refused, and stays as it is', async () => {
  await writeFile(path, '{"v":1,"owner":[]}');
  expect(await codeOf(openTrustFile(path))).toBe('config_invalid');
  expect(await readFile(path, 'utf8')).toBe('{"v":1,"owner":[]}');
});

test('a link to the file stays a link', async () => {
  const real = join(folder, 'real.json');
  await saveTrust(await openTrustFile(real), NO_TRUST);
  await symlink(real, path);
  const file = await openTrustFile(path);
  await saveTrust(file, withOwner(file.trust, 'hospital'));
  expect((await lstat(path)).isSymbolicLink()).toBe(true);
  expect((await readTrust(real)).owners).toHaveLength(1);
});
