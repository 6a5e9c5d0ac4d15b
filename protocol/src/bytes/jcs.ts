import { AppError } from '../errors.js';
import { parseJson, type Json } from './json.js';
import { fromUtf8, toUtf8 } from './text.js';

/**
 * JSON Canonicalization Scheme (RFC 8785). ECMAScript's own JSON.stringify gives the strings and numbers that
 * the RFC prescribes; what is left is the order of keys (by UTF-16 units) and refusing what JSON cannot say.
 * @throws AppError not_canonical for undefined, functions, NaN, infinities, lone surrogates
 */
export function jcs(value: unknown): string {
  if (value === null || typeof value === 'boolean') return JSON.stringify(value);
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new AppError('not_canonical', 'string with a lone surrogate');
    return JSON.stringify(value);
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new AppError('not_canonical', 'number that JSON cannot say');
    return String(value);
  }
  if (Array.isArray(value)) return `[${value.map(jcs).join(',')}]`;
  if (typeof value === 'object' && [Object.prototype, null].includes(prototypeOf(value))) {
    const members = sortedEntries(value).map(([key, member]) => `${jcs(key)}:${jcs(member)}`);
    return `{${members.join(',')}}`;
  }
  throw new AppError('not_canonical', 'value that JSON cannot say');
}

/** By UTF-16 units. What was read from canonical text is in order already, and its reader should not pay for sorting. */
function sortedEntries(value: object): [string, unknown][] {
  const entries: [string, unknown][] = Object.entries(value);
  const isSorted = entries.every(([key], at) => at === 0 || (entries[at - 1]?.[0] ?? '') < key);
  return isSorted ? entries : entries.sort(([a], [b]) => (a < b ? -1 : 1));
}

function prototypeOf(value: object): object | null {
  // Object.getPrototypeOf is declared to give any.
  return Object.getPrototypeOf(value) as object | null;
}

/** UTF-8 of the RFC 8785 form: what is hashed and signed. @throws AppError not_canonical */
export function jcsBytes(value: unknown): Uint8Array<ArrayBuffer> {
  return toUtf8(jcs(value));
}

/**
 * JSON whose bytes must be exactly its canonical form.
 * @throws AppError invalid_json | not_canonical
 */
export function parseJcs(bytes: Uint8Array): Json {
  const text = fromUtf8(bytes);
  const value = parseJson(text);
  // Texts are equal where their UTF-8 is: the decoder takes no malformed bytes and keeps a byte order mark.
  if (jcs(value) !== text) throw new AppError('not_canonical', 'JSON not in RFC 8785 form');
  return value;
}
