import { expect, test } from 'vitest';
import { parseTokenOptions } from './token-options.js';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const utf8 = (text: string): Uint8Array => Buffer.from(text);

// Every text on the right was given by encoding/json of Go 1.26 for the bytes on the left.
test.each([
  ['', 'EOF'],
  [' \t\r\n', 'EOF'],
  ['{', 'unexpected EOF'],
  ['{"a"', 'unexpected EOF'],
  ['{"a":', 'unexpected EOF'],
  ['{"a":1', 'unexpected EOF'],
  ['{"a":1,', 'unexpected EOF'],
  ['[1,', 'unexpected EOF'],
  ['"abc', 'unexpected EOF'],
  ['"\\u12', 'unexpected EOF'],
  ['tru', 'unexpected EOF'],
  ['-', 'unexpected EOF'],
  ['1e+', 'unexpected EOF'],
  ['hello', "invalid character 'h' looking for beginning of value"],
  ['}', "invalid character '}' looking for beginning of value"],
  ['[,]', "invalid character ',' looking for beginning of value"],
  ["{'a':1}", "invalid character '\\'' looking for beginning of object key string"],
  ['{"audience":"a",}', "invalid character '}' looking for beginning of object key string"],
  ['{1:2}', "invalid character '1' looking for beginning of object key string"],
  ['{"a" 1}', "invalid character '1' after object key"],
  ['{"a":1 "b":2}', "invalid character '\"' after object key:value pair"],
  ['[1 2]', "invalid character '2' after array element"],
  ['trux', "invalid character 'x' in literal true (expecting 'e')"],
  ['falsy', "invalid character 'y' in literal false (expecting 'e')"],
  ['nil', "invalid character 'i' in literal null (expecting 'u')"],
  ['-x', "invalid character 'x' in numeric literal"],
  ['1.x', "invalid character 'x' after decimal point in numeric literal"],
  ['1ex', "invalid character 'x' in exponent of numeric literal"],
  ['"a\nb"', "invalid character '\\n' in string literal"],
  ['"\x01"', "invalid character '\\x01' in string literal"],
  ['"\\x"', "invalid character 'x' in string escape code"],
  ['"\\uzz"', "invalid character 'z' in \\u hexadecimal character escape"],
  ['\xef\xbb\xbf{}', "invalid character '\u00ef' looking for beginning of value"],
  ['\x80', "invalid character '\\u0080' looking for beginning of value"],
  ['['.repeat(10_001), "invalid character '[' exceeded max depth"],
  ['['.repeat(10_000), 'unexpected EOF'],
  ['{"bogus":1}', 'json: unknown field "bogus"'],
  ['{"":1}', 'json: unknown field ""'],
  ['{"a\\u0000\\"b":1}', 'json: unknown field "a\\x00\\"b"'],
  ['{"bogus":1,"audience":2}', 'json: unknown field "bogus"'],
  ['{"audience":2,"bogus":1}', 'json: cannot unmarshal number into Go struct field TokenOptions.audience of type string'],
  ['{"nonces":"x"}', 'json: cannot unmarshal string into Go struct field TokenOptions.nonces of type []string'],
  ['{"nonces":[1]}', 'json: cannot unmarshal number into Go struct field TokenOptions.nonces of type string'],
  ['{"nonces":[["a"]]}', 'json: cannot unmarshal array into Go struct field TokenOptions.nonces of type string'],
  ['{"token_type":true}', 'json: cannot unmarshal bool into Go struct field TokenOptions.token_type of type string'],
  ['{"audience":{}}', 'json: cannot unmarshal object into Go struct field TokenOptions.audience of type string'],
  ['"x"', 'json: cannot unmarshal string into Go value of type models.TokenOptions'],
  ['[1]', 'json: cannot unmarshal array into Go value of type models.TokenOptions'],
  ['{"aws_principal_tag_options":1}', 'json: cannot unmarshal number into Go struct field TokenOptions.aws_principal_tag_options of type models.AWSPrincipalTagsOptions'],
  ['{"aws_principal_tag_options":{"x":1}}', 'json: unknown field "x"'],
  [
    '{"aws_principal_tag_options":{"allowed_principal_tags":{"container_image_signatures":{"key_ids":"x"}}}}',
    'json: cannot unmarshal string into Go struct field ContainerImageSignatures.aws_principal_tag_options.allowed_principal_tags.container_image_signatures.key_ids of type []string'
  ]
])('%j is refused with Go’s text', (body, text) => {
  expect(() => parseTokenOptions(bytes(body))).toThrow(new Error(text));
});

const EMPTY = { audience: '', tokenType: '', nonces: [] };

test.each([
  { title: 'null is {}', body: 'null', options: EMPTY },
  { title: 'names fit in any case, also in letters that fold', body: '{"AUDIENCE":"a","To\u212aen_Type":"PKI","nonce\u017f":["n"]}', options: { audience: 'a', tokenType: 'PKI', nonces: ['n'] } },
  { title: 'the last duplicate wins', body: '{"audience":"a","Audience":"b"}', options: { ...EMPTY, audience: 'b' } },
  { title: 'null does not undo an earlier text', body: '{"audience":"a","audience":null}', options: { ...EMPTY, audience: 'a' } },
  { title: 'null empties an earlier list', body: '{"nonces":["a"],"nonces":null}', options: EMPTY },
  { title: 'null in a list shows what lay there before', body: '{"nonces":["a","b"],"nonces":["c"],"nonces":[null,null]}', options: { ...EMPTY, nonces: ['c', 'b'] } },
  { title: 'null in a fresh list is empty', body: '{"nonces":[null,"b"]}', options: { ...EMPTY, nonces: ['', 'b'] } },
  { title: 'what follows the first value is ignored', body: '{"audience":"a"}}} nonsense', options: { ...EMPTY, audience: 'a' } },
  { title: 'lone surrogates are replaced', body: '{"audience":"\\ud800x\\ud83d\\ude00"}', options: { ...EMPTY, audience: '\ufffdx\u{1f600}' } },
  { title: 'AWS options are taken and not needed', body: '{"aws_principal_tag_options":{"allowed_principal_tags":{"container_image_signatures":{"key_ids":["k"]}}}}', options: EMPTY }
])('$title', ({ body, options }) => {
  expect(parseTokenOptions(utf8(body))).toEqual(options);
});
