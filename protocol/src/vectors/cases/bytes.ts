import { toBase64Url } from '../../bytes/base64url.js';
import { toUtf8 } from '../../bytes/text.js';
import { testBytes } from '../fixtures.js';
import type { Draft, FileDraft } from '../format.js';

const bytes = (...values: number[]): { bytes: string } => ({ bytes: toBase64Url(Uint8Array.from(values)) });
const refusedJson = (name: string, text: string): Draft => ({ name, operation: 'parseJson', input: { text }, expect: { error: 'invalid_json' } });

/** RFC 8785, with the RFC's own examples. */
export function jcsFile(): FileDraft {
  const canonical = (name: string, text: string, result: string): Draft => ({ name, operation: 'requireCanonical', input: { text }, ...(result === '' ? {} : { expect: { error: 'not_canonical' } }) });
  const numbers: [string, string][] = [
    ['333333333.33333329', '333333333.3333333'], ['1E30', '1e+30'], ['4.50', '4.5'], ['2e-3', '0.002'], ['0.000000000000000000000000001', '1e-27'],
    ['-0', '0'], ['1e21', '1e+21'], ['9007199254740993', '9007199254740992'], ['5e-324', '5e-324'], ['-1.7976931348623157e308', '-1.7976931348623157e+308']
  ];
  return {
    kind: 'jcs',
    about: 'Canonical JSON: every signed and hashed object has exactly one text.',
    specs: ['RFC 8785', 'RFC 8259'],
    cases: [
      {
        name: 'RFC 8785 section 3.2.2: strings, numbers and literals',
        operation: 'canonicalize',
        input: { text: '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}' }
      },
      {
        name: 'RFC 8785 section 3.2.3: keys by UTF-16 units, so that the emoji comes before the Hebrew letter',
        operation: 'canonicalize',
        input: { text: '{"\\u20ac":"Euro Sign","\\r":"Carriage Return","\\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\\ud83d\\ude00":"Emoji: Grinning Face","\\u0080":"Control","\\u00f6":"Latin Small Letter O With Diaeresis"}' }
      },
      ...numbers.map(([text, result]): Draft => ({ name: `the number ${text} is written ${result}`, operation: 'parseJson', input: { text }, expect: { ok: { canonical: result } } })),
      canonical('canonical text is taken as it is', '{"a":1,"b":[],"c":{"d":"ö"}}', ''),
      ...['{"b":[],"a":1}', '{ "a":1}', '{"a":1.0}', '{"a":1}\n', '{"a":"\\u0041"}', '{"a":1e0}', '-0', '["\\/"]', '"\\u000a"'].map(text => canonical(`not canonical: ${JSON.stringify(text)}`, text, 'x'))
    ]
  };
}

/** RFC 8259 with RFC 7493's advice: nothing that two readers could read as two things. */
export function jsonFile(): FileDraft {
  return {
    kind: 'json',
    about: 'Strict JSON: what the grammar allows and two readers could read as two things is refused.',
    specs: ['RFC 8259', 'RFC 7493'],
    cases: [
      { name: 'equal keys in different objects', operation: 'parseJson', input: { text: '{"a":{"a":1},"b":["a","a"]}' } },
      { name: 'what looks like two equal keys, inside a string', operation: 'parseJson', input: { text: '{"a":"{\\"a\\":1,\\"a\\":2}"}' } },
      { name: 'blanks between tokens', operation: 'parseJson', input: { text: ' [ true , null , -1.5e3 ]\r\n\t' } },
      { name: 'a surrogate pair', operation: 'parseJson', input: { text: '"\\ud83d\\ude00"' } },
      { name: 'nested 64 deep', operation: 'parseJson', input: { text: '['.repeat(64) + ']'.repeat(64) } },
      refusedJson('nested 65 deep', '['.repeat(65) + ']'.repeat(65)),
      refusedJson('two equal keys', '{"a":1,"a":2}'),
      refusedJson('two equal keys, one of them escaped', '{"a":1,"\\u0061":2}'),
      refusedJson('two equal keys, further in', '[{"b":{"x":"y","x":"y"}}]'),
      refusedJson('__proto__ as a key', '{"__proto__":{}}'),
      refusedJson('a lone surrogate', '"\\ud800"'),
      refusedJson('a lone surrogate in a key', '{"\\udc00":1}'),
      refusedJson('a number beyond a double', '[1e400]'),
      refusedJson('a byte order mark', '\ufeff{}'),
      refusedJson('a control character in a string', '"\u0001"'),
      ...['', '[1,]', '{"a":1,}', '{"a" 1}', '{"a":1} x', '01', '+1', '.5', '1.', '0x10', 'NaN', 'Infinity', 'undefined', "{'a':1}", '/**/1', '"\\x41"', '"a', '"a\\"', '[1', ']', '{"a"::1}'].map(text =>
        refusedJson(`not JSON: ${JSON.stringify(text)}`, text)
      ),
      { name: 'bytes that are no UTF-8', operation: 'parseJson', input: bytes(0x22, 0xff, 0x22), expect: { error: 'invalid_json' } },
      { name: 'an overlong form in UTF-8', operation: 'parseJson', input: bytes(0x22, 0xc0, 0xaf, 0x22), expect: { error: 'invalid_json' } },
      { name: 'a surrogate in UTF-8', operation: 'parseJson', input: bytes(0x22, 0xed, 0xa0, 0x80, 0x22), expect: { error: 'invalid_json' } }
    ]
  };
}

/** RFC 4648, one text for one value. */
export function base64urlFile(): FileDraft {
  const take = (operation: 'base64' | 'base64url', texts: readonly string[]): Draft[] => texts.map(text => ({ name: `${operation} ${JSON.stringify(text)}`, operation, input: { text } }));
  const refuse = (operation: 'base64' | 'base64url', texts: readonly string[]): Draft[] =>
    texts.map(text => ({ name: `${operation} refuses ${JSON.stringify(text)}`, operation, input: { text }, expect: { error: 'not_canonical' } }));
  return {
    kind: 'base64url',
    about: 'Binary is unpadded base64url; the statement of a report and entries of x5c are padded base64. Both only in their one canonical form.',
    specs: ['RFC 4648'],
    cases: [
      ...take('base64url', ['', 'Zg', 'Zm8', 'Zm9v', 'Zm9vYmFy', '-_-_']),
      ...refuse('base64url', ['Zg==', 'Zg=', 'Zh', 'Zm9', 'A', 'Z g', 'Zg\n', '+/+/', 'Zm9vYg.', 'ö']),
      ...take('base64', ['', 'Zg==', 'Zm8=', 'Zm9v', '+/+/']),
      ...refuse('base64', ['Zg', 'Zh==', 'Zg=', 'Zm9vZg==Zg==', '-_-_', 'Zg==\n', '====', 'Z===', 'Zm8=Zm8='])
    ]
  };
}

/** `H(label, bytes)`, commitments and digests. */
export function hashesFile(): FileDraft {
  const plaintext = toBase64Url(toUtf8('{"auc":0.99}'));
  const salt = toBase64Url(testBytes('salt'));
  const other = toBase64Url(testBytes('another salt'));
  const hash = (label: string): Draft => ({ name: `H("${label}", "abc")`, operation: 'labelledHash', input: { label, bytes: toBase64Url(toUtf8('abc')) } });
  return {
    kind: 'hashes',
    about: 'Labelled hashes: H(label, bytes) = base64url(SHA-256(utf8(label) || 0x00 || bytes)). Commitments of outputs and parameters.',
    specs: ['FIPS 180-4', 'RFC 8785'],
    cases: [
      ...['cloister/parameters/v1', 'cloister/release/v1', 'cloister/report/v1', 'cloister/output/v1'].map(hash),
      { name: 'the commitment of an output: H("cloister/output/v1", salt || SHA-256(plaintext))', operation: 'outputCommitment', input: { salt, plaintext } },
      { name: 'the same output under another salt', operation: 'outputCommitment', input: { salt: other, plaintext } },
      { name: 'the commitment of parameters: H("cloister/parameters/v1", salt || JCS{parameters, purpose})', operation: 'parametersCommitment', input: { salt, parameters: { folds: 5 }, purpose: 'to show' } },
      { name: 'the same parameters under another salt', operation: 'parametersCommitment', input: { salt: other, parameters: { folds: 5 }, purpose: 'to show' } }
    ]
  };
}
