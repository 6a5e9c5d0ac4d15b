import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { AppError } from '@cloister/protocol';
import { parseConfig, readConfigFile } from './index.js';

const Config = z.strictObject({
  listen: z.strictObject({ host: z.string(), port: z.int() }),
  owners: z.optional(z.array(z.strictObject({ thumbprint: z.string() }))),
  brokers: z.optional(z.record(z.string(), z.strictObject({ socketPath: z.string() })))
});
const VALID = { listen: { host: '127.0.0.1', port: 1 }, owners: [{ thumbprint: 'x' }] };

function refusal(input: unknown): string {
  try {
    parseConfig(Config, input);
  } catch (error) {
    if (error instanceof AppError && error.code === 'config_invalid') return error.detail;
    throw error;
  }
  return 'accepted';
}

test.each([
  ['an unknown key at the top', { ...VALID, listne: 1 }, 'listne: unknown key; did you mean listen?'],
  ['an unknown key below', { listen: { host: 'a', prot: 1, port: 1 } }, 'listen.prot: unknown key; did you mean port?'],
  ['an unknown key in a list', { ...VALID, owners: [{ thumbprint: 'x', thumprint: 1 }] }, 'owners.0.thumprint: unknown key; did you mean thumbprint?'],
  ['an unknown key in a record', { ...VALID, brokers: { a: { socketPath: 'x', socketpaht: 1 } } }, 'did you mean socketPath?'],
  ['a key like no other', { ...VALID, zebra: 1 }, 'configuration: zebra: unknown key'],
  ['a missing key', { listen: { host: 'a' } }, 'listen.port: '],
  ['a wrong type', { listen: { host: 'a', port: 'hunter2' } }, 'listen.port: Invalid input: expected number, received string'],
  ['no object at all', null, 'expected object, received null']
])('names the key for %s', (_, input, said) => {
  expect(refusal(input)).toContain(said);
});

test('a refusal does not repeat the value, which may be a secret', () => {
  expect(refusal({ listen: { host: 'a', port: 'hunter2' } })).not.toContain('hunter2');
});

test('nothing suggests a key that is not near', () => {
  expect(refusal({ ...VALID, zebra: 1 })).not.toContain('did you mean');
});

test('what comes out cannot be changed at any depth', () => {
  const config = parseConfig(Config, VALID);
  expect(() => Reflect.apply(Array.prototype.push, config.owners, [1])).toThrow(TypeError);
  expect(Object.isFrozen(config.listen)).toBe(true);
});

test('a file is read strictly, and a missing one is told by its name', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'cloister-config-'));
  const path = join(directory, 'server.json');
  await expect(readConfigFile(path, Config)).rejects.toMatchObject({ code: 'config_invalid' });
  await writeFile(path, JSON.stringify(VALID));
  expect(await readConfigFile(path, Config)).toEqual(VALID);
  await writeFile(path, '{"listen": {"host": "a", "port": 1, "port": 2}}');
  await expect(readConfigFile(path, Config)).rejects.toThrow('duplicate');
  await rm(directory, { recursive: true });
});
