import { describe, expect, test } from 'vitest';
import { AppError } from '../errors.js';
import { fromBase64, fromBase64Url, toBase64Url } from './base64url.js';
import { digestOf, labelledHash } from './digest.js';
import { jcs, parseJcs } from './jcs.js';
import { parseJson } from './json.js';
import { compareUtf8, toUtf8 } from './text.js';
import { createId } from '../objects/ids.js';

const codeOf = (run: () => unknown): string => {
  try {
    run();
    return 'accepted';
  } catch (error) {
    return error instanceof AppError ? error.code : 'not an AppError';
  }
};

describe('RFC 8785', () => {
  test('the sample of section 3.2.3: keys by UTF-16 units', () => {
    const input = { '\u20ac': 'Euro Sign', '\r': 'Carriage Return', '\ufb33': 'Hebrew Letter Dalet With Dagesh', '1': 'One', '\ud83d\ude00': 'Emoji: Grinning Face', '\u0080': 'Control', '\u00f6': 'Latin Small Letter O With Diaeresis' };
    expect(jcs(input)).toBe('{"\\r":"Carriage Return","1":"One","\u0080":"Control","ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign","😀":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}');
  });

  test.each([
    [333333333.33333329, '333333333.3333333'],
    [1e30, '1e+30'],
    [4.5, '4.5'],
    [2e-3, '0.002'],
    [1e-27, '1e-27'],
    [-0, '0']
  ])('number %d of section 3.2.2.3', (value, text) => {
    expect(jcs(value)).toBe(text);
  });

  test.each([undefined, NaN, Infinity, () => 1, Symbol('x'), '\ud800', new Date(), { a: undefined }, [undefined], 1n])('refuses what JSON cannot say: %s', value => {
    expect(codeOf(() => jcs(value))).toBe('not_canonical');
  });

  test('canonical text is read back, any other form of it is not', () => {
    expect(parseJcs(toUtf8('{"a":1,"b":[]}'))).toEqual({ a: 1, b: [] });
    for (const text of ['{"b":[],"a":1}', '{ "a":1}', '{"a":1.0}', '{"a":1}\n', '{"a":"\\u0041"}']) expect(codeOf(() => parseJcs(toUtf8(text)))).toBe('not_canonical');
  });
});

describe('strict JSON', () => {
  test.each([
    '{"a":1,"a":2}',
    '{"a":{"b":1,"b":1}}',
    '{"a":1,"\\u0061":2}',
    '{"__proto__":{}}',
    '[{"x":"y","x":"y"}]',
    '"\\ud800"',
    '{"\\udc00":1}',
    '[1,]',
    '{"a":1} x',
    '\ufeff{}',
    '01',
    'NaN',
    '[1e400]',
    '-1e999',
    "{'a':1}",
    '"\u0001"',
    '',
    '['.repeat(100) + ']'.repeat(100)
  ])('refuses %j', text => {
    expect(codeOf(() => parseJson(text))).toBe('invalid_json');
  });

  test.each<[string, unknown]>([
    ['{"a":{"a":1},"b":["a","a"]}', { a: { a: 1 }, b: ['a', 'a'] }],
    ['{"a":"{\\"a\\":1,\\"a\\":2}"}', { a: '{"a":1,"a":2}' }],
    [' [ true , null , -1.5e3 ] ', [true, null, -1500]],
    ['"\\ud83d\\ude00"', '😀']
  ])('takes %j', (text, value) => {
    expect(parseJson(text)).toEqual(value);
  });

  test('bytes that are not UTF-8 are refused', () => {
    expect(codeOf(() => parseJson(new Uint8Array([0x22, 0xff, 0x22])))).toBe('invalid_json');
  });
});

describe('base64url', () => {
  test.each(['AA==', 'A', 'AB', 'A A', 'AA\n', 'A+', 'A/', '=', 'Zh'])('refuses %j', text => {
    expect(codeOf(() => fromBase64Url(text))).toBe('not_canonical');
  });

  test.each(['AA', 'AB==', 'A===', 'AA=A', 'A-=='])('padded base64 refuses %j', text => {
    expect(codeOf(() => fromBase64(text))).toBe('not_canonical');
  });

  test('is read back', () => {
    const bytes = Uint8Array.from({ length: 300 }, (_, at) => at % 256);
    expect(fromBase64Url(toBase64Url(bytes))).toEqual(bytes);
  });
});

test('labelled hashes of different labels share no preimage, and fit every nonce limit', () => {
  const one = labelledHash('cloister/release/v1', toUtf8('x'));
  expect(one).toHaveLength(43);
  expect(one).not.toBe(labelledHash('cloister/report/v1', toUtf8('x')));
  expect(digestOf(toUtf8(''))).toBe('sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
});

test('paths are ordered by bytes, not by UTF-16 units', () => {
  expect(['\u{1f600}', '\uffee', 'b', 'a'].sort(compareUtf8)).toEqual(['a', 'b', '\uffee', '\u{1f600}']);
});

test('ids are UUIDv7, ordered by time', () => {
  const early = createId(new Date(1_700_000_000_000));
  const late = createId(new Date(1_700_000_000_001));
  expect(early < late).toBe(true);
  expect(early.slice(0, 13)).toBe('018bcfe5-6800');
});
