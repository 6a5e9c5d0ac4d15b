import { AppError } from '../errors.js';
import { fromUtf8 } from './text.js';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const MAX_DEPTH = 64;
const MAX_TEXT = 64 * 1024 * 1024;

/**
 * Strict JSON (RFC 8259 with the advice of RFC 7493): duplicate keys, `__proto__`, lone surrogates, depth over
 * 64 and a byte order mark are refused. JSON.parse alone keeps the last of two equal keys, so two readers
 * could see two documents in one signature.
 * @throws AppError invalid_json
 */
export function parseJson(input: string | Uint8Array): Json {
  const text = typeof input === 'string' ? input : fromUtf8(input);
  if (text.length > MAX_TEXT) throw new AppError('payload_too_large', 'JSON text over 64 MiB');
  assertUnambiguous(text);
  try {
    // JSON.parse gives exactly Json; its declared type is any.
    return JSON.parse(text) as Json;
  } catch (cause) {
    throw new AppError('invalid_json', 'not JSON', { cause });
  }
}

const TOKEN = /[\s:]+|[{}[\],]|"(?:[^"\\]|\\.)*"|[^\s{}[\],:"]+/gy;

/** One pass over the tokens before JSON.parse: what the grammar allows and we do not. */
function assertUnambiguous(text: string): void {
  const open: (Set<string> | null)[] = [];
  let expectKey = false;
  TOKEN.lastIndex = 0;
  for (;;) {
    const at = TOKEN.lastIndex;
    const token = TOKEN.exec(text)?.[0];
    if (token === undefined) {
      if (at === text.length) return;
      throw new AppError('invalid_json', `not JSON at character ${at}`);
    }
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
    }
  }
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
