import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { readServerConfig } from './config.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cloister-config-'));
  await writeFile(join(directory, 'trust.json'), JSON.stringify({ v: 1, owners: [], verifiers: [], images: [] }));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true, force: true });
});

async function read(changes: object): Promise<Awaited<ReturnType<typeof readServerConfig>>> {
  const config = {
    listen: { socketPath: join(directory, 's') },
    publicUrl: 'http://server.cloister.localhost',
    stateDir: directory,
    trustFile: join(directory, 'trust.json'),
    analysts: 'any',
    publishers: [],
    backend: { kind: 'local', imageDir: directory, socketRoot: directory },
    logLevel: 'info',
    ...changes
  };
  const path = join(directory, 'config.json');
  await writeFile(path, JSON.stringify(config));
  vi.stubEnv('CLOISTER_SERVER_CONFIG', path);
  return readServerConfig();
}

test('a whole configuration is read with its trust', async () => {
  const { config, trust } = await read({});
  expect(config.publishers).toEqual([]);
  expect(trust.verifiers).toEqual([]);
});

test.each([
  ['a misspelt key', { analists: 'any' }, 'analists'],
  ['a relative path', { stateDir: 'state' }, 'stateDir'],
  ['nobody said who may submit', { analysts: undefined }, 'analysts'],
  ['another backend', { backend: { kind: 'gcp' } }, 'backend'],
  ['an address with a path to strip', { publicUrl: 'http://server/' }, 'publicUrl'],
  ['a trust file that is not there', { trustFile: '/nowhere/trust.json' }, 'trust.json']
])('%s is refused by name', async (_, changes, word) => {
  const error: unknown = await read(changes).catch((cause: unknown) => cause);
  expect(error).toMatchObject({ code: 'config_invalid' });
  expect(String(error)).toContain(word);
});

test('a file must be named', async () => {
  vi.stubEnv('CLOISTER_SERVER_CONFIG', '');
  await expect(readServerConfig()).rejects.toMatchObject({ code: 'config_invalid' });
});
