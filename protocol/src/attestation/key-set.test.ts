import { describe, expect, test } from 'vitest';
import { AppError } from '../errors.js';
import { toBase64Url } from '../bytes/base64url.js';
import { toUtf8 } from '../bytes/text.js';
import { toTime } from '../objects/ids.js';
import { KeySet, VerifierJwk } from '../objects/trust.js';
import { DROP_REASONS, MAX_KEYS, MAX_KEY_SETS, appendKeySet, readKeySet, type DropReason } from './key-set.js';
import { VERIFIER_ADDRESSES, publisherOf } from './verifier-addresses.js';

const GOOGLE = VERIFIER_ADDRESSES.google.algorithms;
const INTEL = VERIFIER_ADDRESSES.intel.algorithms;

/** Bytes in the place of a modulus: of exactly so many bits, and odd. */
function modulus(bits: number, seed = 1, last = 1): Uint8Array {
  const bytes = Uint8Array.from({ length: Math.ceil(bits / 8) }, (_, at) => (at * 7 + seed * 13) % 256);
  bytes[0] = 1 << ((bits - 1) % 8);
  bytes[bytes.length - 1] = last;
  return bytes;
}

const N = toBase64Url(modulus(2048));
const key = (change: Record<string, unknown> = {}): Record<string, unknown> => ({ kty: 'RSA', kid: 'one', alg: 'RS256', use: 'sig', n: N, e: 'AQAB', ...change });
const without = (...members: string[]): Record<string, unknown> => Object.fromEntries(Object.entries(key()).filter(([name]) => !members.includes(name)));
const read = (...keys: unknown[]): ReturnType<typeof readKeySet> => readKeySet({ keys }, GOOGLE);

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
  return 'nothing was refused';
}

describe('a published key counts', () => {
  test.each([
    ['as Google publishes it', key()],
    ['without a use', without('use')],
    ['without an algorithm, where the verifier signs with one', without('alg')],
    ['with certificates and members that nobody knows', key({ x5c: ['…'], x5t: 'a', extra: { b: 1 } })],
    ['with operations that hold verify', key({ key_ops: ['verify'] })],
    ['of 8192 bits', key({ n: toBase64Url(modulus(8192)) })]
  ])('%s, and only what is needed of it is kept', (_, jwk) => {
    const { keys, dropped } = read(jwk);
    expect(dropped).toEqual([]);
    expect(keys.map(kept => VerifierJwk.parse(kept))).toEqual([{ kty: 'RSA', kid: 'one', alg: 'RS256', use: 'sig', n: jwk['n'], e: 'AQAB' }]);
  });

  test('from text and from bytes alike', () => {
    const text = JSON.stringify({ keys: [key()], more: 1 });
    expect(readKeySet(text, GOOGLE)).toEqual(read(key()));
    expect(readKeySet(toUtf8(text), GOOGLE)).toEqual(read(key()));
  });
});

const WEAK: [string, unknown, DropReason][] = [
  ['a symmetric key', { kty: 'oct', kid: 'one', k: 'AAAA', alg: 'HS256' }, 'private_member'],
  ['a private key', key({ d: 'AQAB' }), 'private_member'],
  ['an elliptic curve', { kty: 'EC', kid: 'one', crv: 'P-256', x: 'a', y: 'b' }, 'not_rsa'],
  ['a key for encryption', key({ use: 'enc' }), 'not_for_signatures'],
  ['a key to encrypt with', key({ key_ops: ['encrypt'] }), 'not_for_signatures'],
  ['another algorithm of RSA', key({ alg: 'PS256' }), 'algorithm'],
  ['an algorithm of another verifier', key({ alg: 'PS384' }), 'algorithm'],
  ['an algorithm in other letters', key({ alg: 'rs256' }), 'algorithm'],
  ['no key id', without('kid'), 'key_id'],
  ['a key id that rewrites a terminal', key({ kid: '\u001b[2J' }), 'key_id'],
  ['a key id of 257 characters', key({ kid: 'k'.repeat(257) }), 'key_id'],
  ['e = 1', key({ e: 'AQ' }), 'exponent'],
  ['e = 3', key({ e: 'Aw' }), 'exponent'],
  ['e = 65537 with a leading zero', key({ e: 'AAEAAQ' }), 'exponent'],
  ['a modulus of 1024 bits', key({ n: toBase64Url(modulus(1024)) }), 'modulus'],
  ['a modulus of 2047 bits', key({ n: toBase64Url(modulus(2047)) }), 'modulus'],
  ['a modulus of 8193 bits', key({ n: toBase64Url(modulus(8193)) }), 'modulus'],
  ['a modulus of a megabyte', key({ n: 'A'.repeat(1 << 20) }), 'modulus'],
  ['an even modulus', key({ n: toBase64Url(modulus(2048, 1, 2)) }), 'modulus'],
  ['a modulus with a leading zero', key({ n: toBase64Url(Uint8Array.of(0, ...modulus(2048))) }), 'modulus'],
  ['a modulus with padding', key({ n: `${N}==` }), 'modulus'],
  ['a modulus with trailing bits', key({ n: `${N.slice(0, -1)}R` }), 'modulus'],
  ['a number for a modulus', key({ n: 5 }), 'modulus'],
  ['a text for a key', 'key', 'not_a_key'],
  ['a list for a key', [key()], 'not_a_key'],
  ['null for a key', null, 'not_a_key']
];

describe('K4', () => {
  test.each(WEAK)('%s is dropped, and its neighbours are kept', (_, jwk, reason) => {
    const { keys, dropped } = read(jwk, key({ kid: 'good' }));
    expect(keys.map(({ kid }) => kid)).toEqual(['good']);
    expect(dropped.map(key => key.reason)).toEqual([reason]);
    expect(Object.keys(DROP_REASONS)).toContain(reason);
  });

  test('two different keys under one id and algorithm are both dropped', () => {
    const { keys, dropped } = read(key(), key({ n: toBase64Url(modulus(2048, 2)) }), key({ kid: 'two' }));
    expect(keys.map(({ kid }) => kid)).toEqual(['two']);
    expect(dropped).toEqual([{ kid: 'one', reason: 'ambiguous' }, { kid: 'one', reason: 'ambiguous' }]);
  });

  test('a third key does not make one of two rivals right', () => {
    expect(read(key(), key({ n: toBase64Url(modulus(2048, 2)) }), key()).keys).toEqual([]);
  });

  test('one key that is listed twice is one key', () => {
    expect(read(key(), key())).toEqual(read(key()));
  });
});

describe('K5', () => {
  test('one id for two algorithms is two keys, as Intel publishes them', () => {
    const { keys, dropped } = readKeySet({ keys: [key({ alg: 'RS256' }), key({ alg: 'PS384', n: toBase64Url(modulus(3072)) })] }, INTEL);
    expect(dropped).toEqual([]);
    expect(keys.map(({ kid, alg }) => [kid, alg])).toEqual([['one', 'RS256'], ['one', 'PS384']]);
  });

  test('without an algorithm nobody knows which of two it is for', () => {
    expect(readKeySet({ keys: [without('alg')] }, INTEL).dropped).toEqual([{ kid: 'one', reason: 'algorithm' }]);
  });
});

test.each<[string, unknown, string]>([
  ['a page', '<!doctype html><title>Sign in</title>', 'invalid_json'],
  ['nothing', '', 'invalid_json'],
  ['the same member twice', '{"keys":[],"keys":[]}', 'invalid_json'],
  ['deep nesting', `${'['.repeat(10_000)}${']'.repeat(10_000)}`, 'invalid_json'],
  ['a list', '[]', 'invalid_object'],
  ['null', 'null', 'invalid_object'],
  ['undefined', undefined, 'invalid_object'],
  ['keys that are no list', '{"keys":{}}', 'invalid_object'],
  ['more keys than anybody publishes', { keys: Array.from({ length: MAX_KEYS + 1 }, () => key()) }, 'invalid_object'],
  ['65 kB', `{"keys":[],"more":"${'x'.repeat(65 * 1024)}"}`, 'payload_too_large'],
  ['few characters of many bytes', `{"keys":[],"more":"${'€'.repeat(30 * 1024)}"}`, 'payload_too_large']
])('%s is no key set', (_, document, code) => {
  expect(codeOf(() => readKeySet(document, GOOGLE))).toBe(code);
});

describe('an archive', () => {
  const at = (minute: number): string => toTime(new Date(Date.UTC(2030, 0, 1, 0, minute)));
  const set = (minute: number, kids: string[], source = 'https://keys.test'): KeySet =>
    KeySet.parse({ seen: at(minute), source, keys: kids.map(kid => ({ kty: 'RSA', kid, alg: 'RS256', use: 'sig', n: N, e: 'AQAB' })) });
  const append = (...sets: KeySet[]): KeySet[] => sets.reduce<KeySet[]>(appendKeySet, []);

  test('keeps of unchanged sets the first and the last, and every change', () => {
    const archive = append(set(0, ['a']), set(10, ['a']), set(20, ['a']), set(30, ['a', 'b']), set(40, ['b', 'a']), set(50, ['a', 'b']), set(60, ['b']));
    expect(archive).toEqual([set(0, ['a']), set(20, ['a']), set(30, ['a', 'b']), set(50, ['a', 'b']), set(60, ['b'])]);
  });

  test('is the same in whatever order sets arrive', () => {
    const sets = [set(20, ['a']), set(0, ['a']), set(30, ['b']), set(10, ['a'])];
    expect(append(...sets)).toEqual(append(...sets.toReversed()));
  });

  test('keeps sets of two places apart, and one set once', () => {
    const [first, second] = [set(0, ['a']), set(10, ['a'], 'a file')];
    expect(append(first, second, set(20, ['a']), second)).toHaveLength(3);
    expect(append(first, first)).toEqual([first]);
  });

  test('shows a key that was withdrawn and came back', () => {
    expect(append(set(0, ['a']), set(10, ['b']), set(20, ['a']))).toHaveLength(3);
  });

  test('that is full forgets nothing by itself', () => {
    const full = Array.from({ length: MAX_KEY_SETS }, (_, minute) => set(minute, [`key-${minute}`]));
    expect(codeOf(() => appendKeySet(full, set(MAX_KEY_SETS, ['new'])))).toBe('payload_too_large');
    expect(appendKeySet(full, set(MAX_KEY_SETS - 1, [`key-${MAX_KEY_SETS - 1}`]))).toEqual(full);
  });
});

test('K9: addresses are data, each on https, and only the one issuer has them', () => {
  expect(VERIFIER_ADDRESSES.google.jwks).toBe('https://www.googleapis.com/service_accounts/v1/metadata/jwk/signer@confidentialspace-sign.iam.gserviceaccount.com');
  expect(VERIFIER_ADDRESSES.intel.jwks).toBe('https://portal.trustauthority.intel.com/certs');
  expect(VERIFIER_ADDRESSES.google.root).toBe('sha256:148b293821bb0c6a317f413c8ba475814091cb22d49b9e3c94198db8e8f86c39');
  expect(publisherOf({ kind: 'google', issuer: 'https://confidentialcomputing.googleapis.com' })).toBe('google');
  expect(publisherOf({ kind: 'google', issuer: 'https://confidentialcomputing.googleapis.com/' })).toBeUndefined();
  expect(publisherOf({ kind: 'google', issuer: VERIFIER_ADDRESSES.intel.issuer })).toBeUndefined();
  expect(publisherOf({ kind: 'simulator', issuer: VERIFIER_ADDRESSES.google.issuer })).toBeUndefined();
});
