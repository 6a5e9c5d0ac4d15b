import { AppError } from '../errors.js';
import { fromUtf8 } from './text.js';

/** A JSON value (RFC 8259), as parseJson gives it. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const MAX_DEPTH = 64;
/** In UTF-16 units, which are never more than the bytes of the same text. */
const MAX_TEXT = 64 * 1024 * 1024;

/**
 * Strict JSON (RFC 8259 with the advice of RFC 7493): duplicate keys, `__proto__`, lone surrogates, depth over
 * 64, numbers beyond a double and a byte order mark are refused. JSON.parse alone keeps the last of two equal keys,
 * so two readers could see two documents in one signature.
 * @throws AppError invalid_json | payload_too_large
 */
export function parseJson(input: string | Uint8Array): Json {
  const text = typeof input === 'string' ? input : fromUtf8(input);
  if (text.length > MAX_TEXT) throw new AppError('payload_too_large', 'JSON text over 64 Mi characters');
  const value = parse(text);
  if (!text.isWellFormed()) throw new AppError('invalid_json', 'text with a lone surrogate');
  // What JSON.parse dropped of two equal keys is missing in the value and still has its colon in the text.
  if (countMembers(value, 0, text.includes('\\')) !== countColons(text)) throw new AppError('invalid_json', 'duplicate or forbidden key');
  return value;
}

function parse(text: string): Json {
  try {
    // JSON.parse gives exactly Json; its declared type is any.
    return JSON.parse(text) as Json;
  } catch (cause) {
    throw new AppError('invalid_json', 'not JSON', { cause });
  }
}

/**
 * Members of all objects in a value, while it is looked through for what the grammar allows and we do not.
 * @param escapes whether strings may hold what the text does not: a surrogate that was escaped
 */
function countMembers(value: Json, depth: number, escapes: boolean): number {
  if (typeof value === 'string') {
    if (escapes && !value.isWellFormed()) throw new AppError('invalid_json', 'string with a lone surrogate');
    return 0;
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new AppError('invalid_json', 'number that no double can hold');
    return 0;
  }
  if (typeof value !== 'object' || value === null) return 0;
  if (depth >= MAX_DEPTH) throw new AppError('invalid_json', `nested deeper than ${MAX_DEPTH}`);
  let members = 0;
  if (Array.isArray(value)) {
    for (const item of value) members += countMembers(item, depth + 1, escapes);
    return members;
  }
  for (const key of Object.keys(value)) {
    if (key === '__proto__' || (escapes && !key.isWellFormed())) throw new AppError('invalid_json', 'duplicate or forbidden key');
    members += 1 + countMembers(value[key] ?? null, depth + 1, escapes);
  }
  return members;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/** Colons outside of strings in a text that is JSON: one for every member, however often its key comes. */
function countColons(text: string): number {
  let colons = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === COLON) colons += 1;
    else if (code === QUOTE) at = endOfString(text, at);
  }
  return colons;
}

/** The first quote after `start` that an even number of backslashes precedes. */
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let slashes = 0;
    while (text.charCodeAt(quote - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return quote;
  }
  return text.length;
}
