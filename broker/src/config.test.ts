import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readProcessConfig } from './config.js';
import { codeOf, refusal } from './testing/refusals.js';

let dir: string;
beforeEach(async () => (dir = await mkdtemp(join(tmpdir(), 'config-'))));
afterEach(async () => {
  delete process.env['CLOISTER_BROKER_CONFIG'];
  await rm(dir, { recursive: true });
});

const config = {
  listen: { host: '127.0.0.1', port: 8001 }, stateDir: '/var/lib/broker', headsFile: '/var/lib/broker-heads/heads.json', owner: 'A'.repeat(43),
  publicUrl: 'https://broker.example', logLevel: 'info'
};

async function write(change: object): Promise<void> {
  await writeFile(join(dir, 'trust.json'), JSON.stringify({ v: 1, owners: [], verifiers: [], images: [] }));
  await writeFile(join(dir, 'broker.json'), JSON.stringify({ ...config, trustFile: join(dir, 'trust.json'), ...change }));
  process.env['CLOISTER_BROKER_CONFIG'] = join(dir, 'broker.json');
}

test('a configuration is read with the trust that it names', async () => {
  await write({});
  expect(await readProcessConfig()).toMatchObject({ broker: config, trust: { verifiers: [] } });
});

test('outside heads that a backup of the state would hold too are refused', async () => {
  await write({ headsFile: '/var/lib/broker/heads.json' });
  expect((await refusal(readProcessConfig())).detail).toContain('headsFile');
});

test.each([{ change: { statedir: '/x' }, words: 'did you mean stateDir' }, { change: { publicUrl: 'broker' }, words: 'publicUrl' }])('names what is wrong: $words', async ({ change, words }) => {
  await write(change);
  const error = await refusal(readProcessConfig());
  expect(error.code).toBe('config_invalid');
  expect(error.detail).toContain(words);
});

test('without a file there is no default', async () => {
  expect(await codeOf(readProcessConfig())).toBe('config_invalid');
});
