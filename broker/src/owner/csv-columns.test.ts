import { expect, test } from 'vitest';
import { csvColumns } from './csv-columns.js';

const columns = (text: string, isWhole = true): unknown => csvColumns(Buffer.from(text), isWhole)?.map(column => `${column.name}:${column.type}`);

const TABLE: readonly { readonly name: string; readonly text: string; readonly whole?: boolean; readonly expected: readonly string[] | undefined }[] = [
  { name: 'types as narrow as the values', text: 'a,b,c,d\n1,1.5,true,x\n-2,3,False,1\n', expected: ['a:integer', 'b:number', 'c:boolean', 'd:text'] },
  { name: 'empty values, which say nothing', text: 'a,b\n,\n1,\n', expected: ['a:integer', 'b:text'] },
  { name: 'quotes, commas and line feeds in a field', text: '"a ""x"", y","b\nc"\n"1,2",3\n', expected: ['a "x", y:text', 'b\nc:integer'] },
  { name: 'a byte order mark and CRLF', text: '\uFEFFa,b\r\n1,2\r\n', expected: ['a:integer', 'b:integer'] },
  { name: 'a header alone', text: 'a,b', expected: ['a:text', 'b:text'] },
  { name: 'a header that is cut off', text: 'a,b', whole: false, expected: undefined },
  { name: 'a last row that is cut off', text: 'a,b\n1,2\n3,4x', whole: false, expected: ['a:integer', 'b:integer'] },
  { name: 'a last row without a line feed', text: 'a,b\n1,2\n3,4x', expected: ['a:integer', 'b:text'] },
  { name: 'numbers too large to be integers', text: 'a\n12345678901234567890\n', expected: ['a:number'] },
  { name: 'a quote that never ends', text: 'a,"b', expected: undefined },
  { name: 'nothing', text: '', expected: undefined }
];
test.each(TABLE)('reads $name', ({ text, whole, expected }) => {
  expect(columns(text, whole)).toEqual(expected);
});

test('a character that is cut off does no harm', () => {
  const bytes = Buffer.from('a,é\n1,é');
  expect(csvColumns(bytes.subarray(0, -1), false)).toEqual([{ name: 'a', type: 'text' }, { name: 'é', type: 'text' }]);
});
