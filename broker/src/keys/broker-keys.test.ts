import { chmod, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { codeOf } from '../testing/refusals.js';
import { openBrokerKeys } from './broker-keys.js';

let dir: string;
beforeEach(async () => (dir = await mkdtemp(join(tmpdir(), 'keys-'))));
afterEach(async () => rm(dir, { recursive: true }));

test('keys are made once, for nobody but their owner to read, one identity per purpose', async () => {
  const keys = await openBrokerKeys(dir);
  expect(new Set([keys.dataset, keys.bundle, keys.review].map(key => key.recipient)).size).toBe(3);
  expect((await openBrokerKeys(dir)).signer.thumbprint).toBe(keys.signer.thumbprint);
  for (const file of await readdir(dir)) expect((await stat(join(dir, file))).mode & 0o777).toBe(0o600);
});

test('a key that was lost is not made anew: what is sealed to it would never open', async () => {
  await openBrokerKeys(dir);
  await rm(join(dir, 'dataset.age-identity'));
  expect(await codeOf(openBrokerKeys(dir))).toBe('key_missing');
});

test('a key that others can read is refused', async () => {
  await openBrokerKeys(dir);
  await chmod(join(dir, 'signing.jwk'), 0o644);
  expect(await codeOf(openBrokerKeys(dir))).toBe('key_unsafe');
});

test('a first start that was cut short is taken up again', async () => {
  const keys = await openBrokerKeys(dir);
  await rm(join(dir, 'complete'));
  await rm(join(dir, 'review.age-identity'));
  const again = await openBrokerKeys(dir);
  expect(again.signer.thumbprint).toBe(keys.signer.thumbprint);
  expect(again.review.recipient).not.toBe(keys.review.recipient);
});
