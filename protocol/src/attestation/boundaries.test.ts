import { describe, expect, test } from 'vitest';
import { AppError } from '../errors.js';
import { fromBase64Url, toBase64Url } from '../bytes/base64url.js';
import type { Json } from '../bytes/json.js';
import { toUtf8 } from '../bytes/text.js';
import { KeySet } from '../objects/trust.js';
import { TEST_IMAGE, createTestRelyingParty } from '../testing/index.js';
import { HARDWARE_CHECKS } from './checks/index.js';
import { readClaims, type Claims } from './claims.js';
import { GOOGLE_ISSUER, INTEL_ISSUER } from './issuers.js';
import { MAX_KEYS, MAX_KEY_SET_BYTES, appendKeySet, readKeySet } from './key-set.js';
import { MAX_OIDC_TOKEN_CHARS, MAX_TOKEN_CHARS, parseToken, readToken } from './token.js';
import { VERIFIER_ADDRESSES, publisherOf } from './verifier-addresses.js';
import { verifyAttestation } from './verify.js';

/** Every limit on both of its sides, and every form that is read on both sides of what is read. */
function refusalOf(work: () => unknown): { code: string; hint?: string | undefined } {
  try {
    work();
  } catch (error) {
    if (error instanceof AppError) return { code: error.code, hint: error.hint };
    throw error;
  }
  return { code: 'nothing was refused' };
}

describe('claims', () => {
  const nobody: Json[] = [undefined, '', 7, null, ['x'], { x: 'x' }].map(value => value ?? null);
  test.each<[keyof Claims, (value: Json) => Record<string, Json>]>([
    ['issuer', value => ({ iss: value })],
    ['hardware', value => ({ hwmodel: value })],
    ['instance', value => ({ submods: { gce: { instance_name: value } } })],
    ['project', value => ({ submods: { gce: { project_id: value } } })],
    ['zone', value => ({ submods: { gce: { zone: value } } })]
  ])('%s is a text that is not empty, or absent', (name, raw) => {
    expect(readClaims(raw('x'))[name]).toBe('x');
    for (const value of nobody) expect(readClaims(raw(value))[name], JSON.stringify(value)).toBeUndefined();
    expect(readClaims({})[name]).toBeUndefined();
  });

  test.each<[keyof Claims, string]>([['issuedAt', 'iat'], ['notBefore', 'nbf'], ['expiresAt', 'exp']])('%s is a whole second from 1970 to the year 9999', (name, claim) => {
    for (const value of [0, 1, 253_402_300_799]) expect(readClaims({ [claim]: value })[name]).toBe(value);
    for (const value of [-1, 0.5, 253_402_300_800, '0', [0], null, true]) expect(readClaims({ [claim]: value })[name], JSON.stringify(value)).toBeUndefined();
  });

  test('one nonce is a text, two to six are a list, and none is none', () => {
    const of = (value: Json | undefined): unknown => {
      const { nonces, noncesMalformed } = readClaims(value === undefined ? {} : { eat_nonce: value });
      return noncesMalformed ? 'malformed' : nonces;
    };
    expect(of(undefined)).toEqual([]);
    expect(of('a')).toEqual(['a']);
    for (const many of [['a', 'b'], ['a', 'b', 'c', 'd', 'e', 'f']]) expect(of(many)).toEqual(many);
    for (const bad of [null, 1, {}, [], ['a'], ['a', 1], [1, 'a'], ['a', 'b', 'c', 'd', 'e', 'f', 'g']]) expect(of(bad), JSON.stringify(bad)).toBe('malformed');
    expect(readClaims({ eat_nonce: 1 }).nonces).toEqual([]);
  });

  test('overrides are named in one order; other forms are marked', () => {
    const of = (value: Json): Claims => readClaims({ submods: { container: { env_override: value, image_digest: TEST_IMAGE } } });
    expect(of({ b: '', a: '' })).toMatchObject({ envOverrides: ['a', 'b'], envOverridesMalformed: false, image: TEST_IMAGE });
    expect(of(null)).toMatchObject({ envOverrides: [], envOverridesMalformed: false });
    for (const bad of [['a'], 'a', 1, false, { a: 1 }, { a: '', b: 1 }]) expect(of(bad).envOverridesMalformed, JSON.stringify(bad)).toBe(true);
  });
});

describe('a token', () => {
  const encode = (text: string): string => toBase64Url(toUtf8(text));
  /** Of exactly so many characters: a signature may be of any length that base64url can have. */
  const sized = (header: string, length: number): string => {
    const start = `${encode(header)}.${encode('{}')}.`;
    return start + 'A'.repeat(length - start.length);
  };

  test('is at most 16 KiB long without certificates and 32 KiB with them', () => {
    for (const [header, limit] of [['{}', MAX_OIDC_TOKEN_CHARS], ['{"x5c":1}', MAX_TOKEN_CHARS]] as const) {
      const start = `${encode(header)}.${encode('{}')}.`.length;
      // Base64url never has a length of 4 n + 1: such limits are met by another header.
      const padded = (limit - start) % 4 === 1 ? header.replace('}', ' }') : header;
      expect(readToken(sized(padded, limit)).form.status).toBe('pass');
      const over = [1, 2].map(more => readToken(sized(padded, limit + more)).form.status);
      expect(over).toContain('fail');
      expect(over.at(-1)).toBe('fail');
    }
  });

  test('that cannot be taken apart says by which rule', () => {
    expect(refusalOf(() => parseToken('x.y')).code).toBe('not_canonical');
    expect(refusalOf(() => parseToken(`${encode('{}')}.${encode('{}')}=.AA`)).code).toBe('not_canonical');
    expect(refusalOf(() => parseToken(`${encode('{}')}.${encode('{"a":1,"a":2}')}.AA`)).code).toBe('invalid_json');
    expect(refusalOf(() => parseToken(`${encode('[]')}.${encode('{}')}.AA`)).code).toBe('invalid_json');
    expect(refusalOf(() => parseToken(sized('{}', MAX_OIDC_TOKEN_CHARS + 4))).code).toBe('not_canonical');
    expect(parseToken(`${encode('{"a":1}')}.${encode('{"b":2}')}.AA`)).toMatchObject({ header: { a: 1 }, claims: { b: 2 } });
  });

  test('counts under a key that is written with leading zeros, as long as its signature is as long as the key', async () => {
    const party = await createTestRelyingParty({ kind: 'google' });
    const { jwks } = party.verifier.pinned;
    const pinned = { ...party.verifier.pinned, jwks: jwks.map(set => ({ ...set, keys: set.keys.map(key => ({ ...key, n: toBase64Url(Uint8Array.from([0, 0, ...fromBase64Url(key.n)])) })) })) };
    const token = await party.mint();
    expect(await party.refusals(token, { pinned: [pinned] })).toEqual([]);
    expect(await party.refusals(`${token.slice(0, token.lastIndexOf('.'))}.${'A'.repeat(344)}`, { pinned: [pinned] })).toEqual(['signature']);
  });

  test('that cannot be read has no claims to show', async () => {
    const party = await createTestRelyingParty();
    const options = { trust: { verifiers: [party.verifier.pinned] }, expect: party.expect, now: new Date() };
    expect(Object.keys(await verifyAttestation('x', options))).toEqual(['accepted', 'simulated', 'checks']);
    expect(Object.keys(await verifyAttestation(await party.mint(), options))).toContain('claims');
  });
});

describe('a published key set', () => {
  const N = toBase64Url(Uint8Array.from({ length: 256 }, (_, at) => (at === 0 ? 128 : 1)));
  const key = (change: Record<string, unknown> = {}): Record<string, unknown> => ({ kty: 'RSA', kid: 'one', alg: 'RS256', use: 'sig', n: N, e: 'AQAB', ...change });
  const read = (document: unknown): ReturnType<typeof readKeySet> => readKeySet(document, ['RS256']);

  test('is at most 64 KiB long, as text and as bytes', () => {
    const sized = (length: number): string => `{"keys":[]${' '.repeat(length - 11)}}`;
    for (const document of [sized(MAX_KEY_SET_BYTES), toUtf8(sized(MAX_KEY_SET_BYTES))]) expect(read(document).keys).toEqual([]);
    const refusal = { code: 'payload_too_large', hint: 'This is no verifier’s key set.' };
    for (const document of [sized(MAX_KEY_SET_BYTES + 1), toUtf8(sized(MAX_KEY_SET_BYTES + 1))]) expect(refusalOf(() => read(document))).toEqual(refusal);
  });

  test('has at most 16 keys', () => {
    const keys = (count: number): unknown => ({ keys: Array.from({ length: count }, (_, at) => key({ kid: `key ${at}` })) });
    expect(read(keys(MAX_KEYS)).keys).toHaveLength(16);
    expect(refusalOf(() => read(keys(MAX_KEYS + 1)))).toEqual({ code: 'invalid_object', hint: 'This is no verifier’s key set.' });
  });

  test('that is none says what one is', () => {
    expect(refusalOf(() => read('{}'))).toEqual({ code: 'invalid_object', hint: 'A key set is JSON like {"keys":[…]} (RFC 7517).' });
  });

  test.each(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'])('a key with the private member %s is dropped', member => {
    expect(read({ keys: [key({ [member]: 'AQ' })] }).dropped).toEqual([{ kid: 'one', reason: 'private_member' }]);
  });

  test.each([undefined, null, 5, '', 'A', '*'])('a key with the modulus %j is dropped', n => {
    expect(read({ keys: [key({ n })] }).dropped).toEqual([{ kid: 'one', reason: 'modulus' }]);
  });

  test('sets of one time stay in the order in which they came, and a full archive says what to do', () => {
    const set = (minute: number, source: string): KeySet => KeySet.parse({ seen: new Date(Date.UTC(2030, 0, 1, 0, minute)).toISOString(), source, keys: [key()] });
    const [first, second] = [set(0, 'a page'), set(0, 'a file')];
    expect(appendKeySet([first], second)).toEqual([first, second]);
    expect(appendKeySet([second], first)).toEqual([second, first]);
    const full = Array.from({ length: 256 }, (_, minute) => set(minute, `source ${minute}`));
    expect(refusalOf(() => appendKeySet(full, set(300, 'new')))).toEqual({ code: 'payload_too_large', hint: 'Keep a copy of the trust file, then remove its oldest key sets.' });
  });
});

test('addresses: what people may read about Google’s, and Intel’s as Google’s', () => {
  expect(VERIFIER_ADDRESSES.google.discovery).toBe('https://confidentialcomputing.googleapis.com/.well-known/openid-configuration');
  expect(VERIFIER_ADDRESSES.google.rootDescription).toBe('https://confidentialcomputing.googleapis.com/.well-known/attestation-pki-root');
  expect(publisherOf({ kind: 'intel', issuer: INTEL_ISSUER })).toBe('intel');
  expect(publisherOf({ kind: 'intel', issuer: GOOGLE_ISSUER })).toBeUndefined();
});

test('what is the hardware’s word and what is the verifier’s', () => {
  for (const id of ['hardware', 'debug', 'image', 'instance']) expect(HARDWARE_CHECKS.has(id), id).toBe(true);
  for (const id of ['audience', 'nonce', 'lifetime', 'issued', 'freshness']) expect(HARDWARE_CHECKS.has(id), id).toBe(false);
});
