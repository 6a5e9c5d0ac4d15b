import { describe, expect, test } from 'vitest';
import { KeySet, PinnedVerifier } from '../objects/trust.js';
import { GOOGLE_ISSUER, INTEL_ISSUER, SIMULATOR_ISSUER } from './issuers.js';
import { KEY_SET_MAX_AGE_SECONDS, findKey, type KeyFinding, type KeyQuestion } from './key-archive.js';

/** K1 to K9 at the archive itself: which key counted when a token was issued, to the second. */
const DAY = 24 * 3600;
const START = Date.UTC(2026, 5, 1) / 1000;
const day = (count: number, seconds = 0): number => START + count * DAY + seconds;

/** A set seen on a day. Keys of one id differ where their letter does. */
function seen(on: number, ...keys: readonly (readonly [kid: string, n?: string])[]): KeySet {
  const published = keys.map(([kid, n = 'a']) => ({ kty: 'RSA', kid, alg: 'RS256', use: 'sig', n: n.repeat(342), e: 'AQAB' }));
  return KeySet.parse({ seen: new Date(day(on) * 1000).toISOString(), source: 'a test', keys: published });
}

function find(jwks: readonly KeySet[], question: Partial<KeyQuestion> = {}, kind: PinnedVerifier['kind'] = 'google'): KeyFinding {
  const issuer = { google: GOOGLE_ISSUER, intel: INTEL_ISSUER, simulator: SIMULATOR_ISSUER }[kind];
  const verifier = PinnedVerifier.parse({ issuer, kind, jwks, roots: [], source: 'a test' });
  return findKey(verifier, { kid: 'one', algorithm: 'RS256', issuedAt: day(1), ...question });
}

const COUNTS = { status: 'pass', actual: 'one' };
const ANOTHER_TIME = { status: 'fail', expected: 'a key that was published when the token was issued', actual: 'one was published at another time' };
const TOO_LONG_AGO = { status: 'unknown', hint: `the keys of ${GOOGLE_ISSUER} were last seen at 2026-06-01T00:00:00.000Z, too long before the token was issued: update the trust file` };

/** The same sets in every order: an archive may be written by hand. */
function inEveryOrder(sets: readonly KeySet[]): KeySet[][] {
  if (sets.length < 2) return [[...sets]];
  return sets.flatMap((first, place) => inEveryOrder(sets.filter((_, other) => other !== place)).map(rest => [first, ...rest]));
}

describe.each(['google', 'intel'] as const)('of %s, a key counts', kind => {
  test.each<[string, KeySet[]]>([
    ['that is in the last set seen before the issue', [seen(0, ['one'])]],
    ['that was in earlier sets too', [seen(-2, ['one']), seen(-1, ['one']), seen(0, ['one'])]],
    ['that came after the first set', [seen(-1, ['two']), seen(0, ['two'], ['one'])]],
    ['that is first seen after the issue', [seen(0, ['two']), seen(2, ['one'])]],
    ['where nothing was seen before', [seen(2, ['one']), seen(3, ['two'])]],
    ['that was there before and after, however long before', [seen(-20, ['one']), seen(2, ['one'])]],
    ['that was withdrawn and came back', [seen(-2, ['one']), seen(-1, ['two']), seen(0, ['one'])]]
  ])('%s', (_, sets) => {
    for (const jwks of inEveryOrder(sets)) {
      const { outcome, key } = find(jwks, {}, kind);
      expect(outcome).toEqual(COUNTS);
      expect(key).toMatchObject({ kid: 'one', alg: 'RS256' });
    }
  });
});

describe.each(['google', 'intel'] as const)('of %s, a key does not count', kind => {
  test.each<[string, KeySet[]]>([
    ['that was withdrawn before the issue', [seen(-1, ['one']), seen(0, ['two'])]],
    ['that came only after the first set seen later', [seen(0, ['two']), seen(2, ['two']), seen(3, ['one'])]],
    ['that was withdrawn before and came back after the first set seen later', [seen(-1, ['one']), seen(0, ['two']), seen(2, ['two']), seen(3, ['one'])]]
  ])('%s', (_, sets) => {
    for (const jwks of inEveryOrder(sets)) expect(find(jwks, {}, kind).outcome).toEqual(ANOTHER_TIME);
  });
});

describe('a key does not count', () => {
  test('under another id or algorithm, or out of an empty archive', () => {
    const hint = (kid: string, algorithm: string): object => ({ outcome: { status: 'unknown', hint: `no pinned key of ${GOOGLE_ISSUER} has the id ${kid} for ${algorithm}: update the trust file` } });
    expect(find([seen(0, ['one'])], { kid: 'two' })).toEqual(hint('two', 'RS256'));
    expect(find([seen(0, ['one'])], { algorithm: 'PS384' })).toEqual(hint('one', 'PS384'));
    expect(find([])).toEqual(hint('one', 'RS256'));
  });

  test('that is two keys: nobody could say by which a token was signed', () => {
    const different = { outcome: { status: 'fail', expected: 'one key for this key id and algorithm', actual: 'different keys' } };
    expect(find([seen(0, ['one', 'a'], ['one', 'b'])])).toEqual(different);
    for (const jwks of inEveryOrder([seen(-1, ['one', 'a']), seen(0, ['one', 'a']), seen(2, ['one', 'b'])])) expect(find(jwks)).toEqual(different);
  });
});

describe('to the second', () => {
  test('a set counts from the moment when it was seen', () => {
    const change = [seen(0, ['one']), seen(1, ['two']), seen(2, ['three'])];
    expect(find(change, { issuedAt: day(1, -1) }).outcome).toEqual(COUNTS);
    expect(find(change, { issuedAt: day(1) }).outcome).toEqual(ANOTHER_TIME);
    expect(find(change, { issuedAt: day(1), kid: 'three' }).outcome).toMatchObject({ status: 'pass' });
    expect(find(change, { issuedAt: day(1, -1), kid: 'three' }).outcome).toMatchObject({ status: 'fail' });
  });

  test('the last set speaks for a week', () => {
    expect(KEY_SET_MAX_AGE_SECONDS).toBe(7 * DAY);
    expect(find([seen(0, ['one'])], { issuedAt: day(7) }).outcome).toEqual(COUNTS);
    expect(find([seen(0, ['one'])], { issuedAt: day(7, 1) }).outcome).toEqual(TOO_LONG_AGO);
  });

  test('a time that no date can say lies after all of them', () => {
    expect(find([seen(0, ['one'])], { issuedAt: 9e15 }).outcome).toEqual(TOO_LONG_AGO);
  });
});

test('a simulator’s keys are its own for life', () => {
  for (const issuedAt of [day(-1000), day(1), day(1000)]) expect(find([seen(0, ['one']), seen(2, ['two'])], { issuedAt }, 'simulator').outcome).toEqual(COUNTS);
});
