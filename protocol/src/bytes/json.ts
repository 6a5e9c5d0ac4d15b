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
  assertUnambiguous(text);
  try {
    // JSON.parse gives exactly Json; its declared type is any.
    return JSON.parse(text) as Json;
  } catch (cause) {
    throw new AppError('invalid_json', 'not JSON', { cause });
  }
}

/** All but strings: V8's engine runs out of stack on a pattern with an alternative under a star, from some megabytes on. */
const TOKEN = /[\s:]+|[{}[\],]|[^\s{}[\],:"]+/gy;

/** One pass over the tokens before JSON.parse: what the grammar allows and we do not. */
function assertUnambiguous(text: string): void {
  const open: (Set<string> | null)[] = [];
  let expectKey = false;
  let at = 0;
  while (at < text.length) {
    const token = tokenAt(text, at);
    at += token.length;
    const first = token.charAt(0);
    if (first === '{' || first === '[') {
      if (open.length >= MAX_DEPTH) throw new AppError('invalid_json', `nested deeper than ${MAX_DEPTH}`);
      open.push(first === '{' ? new Set() : null);
      expectKey = first === '{';
    } else if (first === '}' || first === ']') {
      open.pop();
      expectKey = false;
    } else if (first === ',') {
      expectKey = open.at(-1) instanceof Set;
    } else if (first === '"') {
      const value = parseString(token);
      const keys = open.at(-1);
      if (expectKey && keys instanceof Set) {
        if (keys.has(value) || value === '__proto__') throw new AppError('invalid_json', 'duplicate or forbidden key');
        keys.add(value);
        expectKey = false;
      }
    } else if (/^[-0-9]/.test(first) && !Number.isFinite(Number(token))) {
      throw new AppError('invalid_json', 'number that no double can hold');
    }
  }
}

function tokenAt(text: string, at: number): string {
  if (text.charAt(at) === '"') return text.slice(at, endOfString(text, at));
  TOKEN.lastIndex = at;
  const token = TOKEN.exec(text)?.[0];
  if (token === undefined) throw new AppError('invalid_json', `not JSON at character ${at}`);
  return token;
}

/** Past the first quote that an even number of backslashes precedes. */
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let slashes = 0;
    while (text.charAt(quote - 1 - slashes) === '\\') slashes += 1;
    if (slashes % 2 === 0) return quote + 1;
  }
  throw new AppError('invalid_json', `a string that does not end, at character ${start}`);
}

function parseString(token: string): string {
  let value: string;
  try {
    value = String(JSON.parse(token));
  } catch (cause) {
    throw new AppError('invalid_json', 'invalid string', { cause });
  }
  if (!value.isWellFormed()) throw new AppError('invalid_json', 'string with a lone surrogate');
  return value;
}
