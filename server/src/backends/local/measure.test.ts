import { execFileSync } from 'node:child_process';
import { appendFile, link, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf, digestOfJson } from '@cloister/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { measureImage, readImage } from './measure.js';
import { writeImage } from './testing.js';

let image: string;

beforeEach(async () => {
  image = await mkdtemp(join(tmpdir(), 'clo-'));
  await writeImage(image);
});
afterEach(() => rm(image, { recursive: true, force: true }));

test('the digest is of the canonical list of all files', async () => {
  const paths = ['image.json', 'lock/requirements.txt', 'runner.mjs'];
  const files = await Promise.all(
    paths.map(async path => {
      const bytes = await readFile(join(image, path));
      return { path, size: bytes.length, digest: digestOf(bytes) };
    })
  );
  expect(await measureImage(image)).toBe(digestOfJson(files));
});

test('paths are ordered by their bytes, not by UTF-16 units', async () => {
  for (const name of ['\u{1f600}', '\uff5e']) await writeFile(join(image, name), '');
  const files = [];
  for (const path of ['image.json', 'lock/requirements.txt', 'runner.mjs', '\uff5e', '\u{1f600}']) {
    const bytes = await readFile(join(image, path));
    files.push({ path, size: bytes.length, digest: digestOf(bytes) });
  }
  expect(await measureImage(image)).toBe(digestOfJson(files));
});

test.each([
  { change: 'a byte of the program', make: () => appendFile(join(image, 'runner.mjs'), ' ') },
  { change: 'a byte of the Python lock', make: () => appendFile(join(image, 'lock/requirements.txt'), ' ') },
  { change: 'a label', make: () => appendFile(join(image, 'image.json'), ' ') },
  { change: 'a name', make: () => rename(join(image, 'runner.mjs'), join(image, 'runner2.mjs')) },
  { change: 'an added empty file', make: () => writeFile(join(image, 'lock/empty'), '') },
  { change: 'a missing file', make: () => rm(join(image, 'lock/requirements.txt')) }
])('$change changes the digest', async ({ make }) => {
  const before = await measureImage(image);
  await make();
  expect(await measureImage(image)).not.toBe(before);
});

test.each([
  { what: 'a link to a file', make: () => symlink('runner.mjs', join(image, 'other.mjs')) },
  { what: 'a link to nothing', make: () => symlink('/nonexistent', join(image, 'dangling')) },
  { what: 'a link to a folder', make: () => symlink('/usr', join(image, 'usr')) },
  { what: 'a pipe', make: async () => { execFileSync('mkfifo', [join(image, 'pipe')]); } },
  { what: 'a name that is not UTF-8', make: () => writeFile(Buffer.concat([Buffer.from(`${image}/`), Buffer.from([0xff])]), '') }
])('an image with $what is refused', async ({ make }) => {
  await make();
  await expect(measureImage(image)).rejects.toMatchObject({ code: 'launch_failed' });
});

test('a link to an image is no image, a hard link is a file', async () => {
  await symlink(image, `${image}-link`);
  await expect(measureImage(`${image}-link`)).rejects.toMatchObject({ code: 'launch_failed' });
  await rm(`${image}-link`);
  await link(join(image, 'runner.mjs'), join(image, 'same.mjs'));
  await expect(measureImage(image)).resolves.toMatch(/^sha256:/);
});

const labels = { v: 1, entrypoint: ['node', 'x.mjs'], allowEnvOverride: [], cmdOverride: false, logRedirect: 'never' };

test.each([
  { what: 'no labels', text: '' },
  { what: 'labels that are not JSON', text: '{' },
  { what: 'a duplicate label', text: '{"v":1,"v":1}' },
  { what: 'an unknown label', text: JSON.stringify({ ...labels, privileged: true }) },
  { what: 'no entrypoint', text: JSON.stringify({ ...labels, entrypoint: [] }) },
  { what: 'a command that may be overridden', text: JSON.stringify({ ...labels, cmdOverride: true }) },
  { what: 'logs that may be redirected', text: JSON.stringify({ ...labels, logRedirect: 'always' }) }
])('an image with $what is refused', async ({ text }) => {
  await writeFile(join(image, 'image.json'), text);
  await expect(readImage(image)).rejects.toMatchObject({ code: 'launch_failed' });
});
