import { StringDecoder } from 'node:string_decoder';

export interface Column {
  readonly name: string;
  readonly type: 'boolean' | 'integer' | 'number' | 'text';
}

/**
 * Columns of a CSV file (RFC 4180) from its first bytes: names from the header line, types from the rows that are
 * whole. Types are as narrow as all values seen allow; empty values say nothing.
 * @returns undefined where the bytes hold no whole header line
 */
export function csvColumns(start: Uint8Array, isWholeFile: boolean): readonly Column[] | undefined {
  // A decoder, since the bytes may end within a character.
  const text = new StringDecoder('utf8').write(Buffer.from(start)).replace(/^\uFEFF/, '');
  const [header, ...rows] = readRows(text, isWholeFile);
  if (header === undefined || header.every(name => name.trim() === '')) return undefined;
  return header.map((name, at) => ({ name, type: typeOf(rows.map(row => row[at] ?? '').filter(value => value !== '')) }));
}

const INTEGER = /^[+-]?\d{1,18}$/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const BOOLEAN = /^(true|false)$/i;

function typeOf(values: readonly string[]): Column['type'] {
  if (values.length === 0) return 'text';
  if (values.every(value => BOOLEAN.test(value))) return 'boolean';
  if (values.every(value => INTEGER.test(value))) return 'integer';
  return values.every(value => NUMBER.test(value)) ? 'number' : 'text';
}

/** A field with what ends it: quoted with doubled quotes, or bare. */
const FIELD = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n|\n|\r|$)/y;

function readRows(text: string, isWholeFile: boolean): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  FIELD.lastIndex = 0;
  for (;;) {
    const match = FIELD.exec(text);
    if (match === null) return rows;
    const [, raw = '', end = ''] = match;
    row.push(raw.startsWith('"') ? raw.slice(1, -1).replaceAll('""', '"') : raw);
    if (end === ',') continue;
    // Without a line's end the row may be cut off, unless the file ends there.
    const isWhole = end !== '' || isWholeFile;
    if (isWhole && !(row.length === 1 && row[0] === '')) rows.push(row);
    row = [];
    if (end === '') return rows;
  }
}
