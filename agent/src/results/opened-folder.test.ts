import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { digestOf, toUtf8 } from '@cloister/protocol';
import { codeOf } from '../testing/index.js';
import { readOpenedFolder } from './opened-folder.js';

const REPORT = 'the report';
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cloister-opened-'));
  await mkdir(join(folder, 'outputs'));
  for (const [name, text] of Object.entries({ 'index.json': '{}', 'study.attestation.json': REPORT, 'outputs/a.csv': 'a', '.ipynb_checkpoints': 'hidden' })) await writeFile(join(folder, name), text);
});
afterEach(async () => rm(folder, { recursive: true }));

const files = async (path = join(folder, 'study.attestation.json')): Promise<string[]> => [...(await readOpenedFolder(folder, { path, digest: digestOf(toUtf8(REPORT)) })).files.keys()].sort();

test('every file is read but the index, hidden ones and the very report', async () => {
  expect(await files()).toEqual(['outputs/a.csv']);
  expect(await files('/elsewhere/copy.json')).toEqual(['outputs/a.csv']);
});

test('another report, a copy further down, and a copy under another name are added files', async () => {
  await writeFile(join(folder, 'other.attestation.json'), 'another report');
  await writeFile(join(folder, 'outputs/study.attestation.json'), REPORT);
  await writeFile(join(folder, 'study.txt'), REPORT);
  expect(await files()).toEqual(['other.attestation.json', 'outputs/a.csv', 'outputs/study.attestation.json', 'study.txt']);
  expect(await files(join(folder, 'study.txt'))).toEqual(['other.attestation.json', 'outputs/a.csv', 'outputs/study.attestation.json']);
});

test('a report that was changed since it was read is an added file, and so is a link to it', async () => {
  await writeFile(join(folder, 'study.attestation.json'), 'changed');
  await writeFile(join(folder, 'real'), REPORT);
  await symlink(join(folder, 'real'), join(folder, 'link.attestation.json'));
  expect(await files()).toEqual(['link.attestation.json', 'outputs/a.csv', 'real', 'study.attestation.json']);
});

test('without an index there is nothing to go by', async () => {
  await rm(join(folder, 'index.json'));
  expect(await codeOf(files())).toBe('usage');
});
