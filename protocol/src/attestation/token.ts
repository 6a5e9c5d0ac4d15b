import { AppError } from '../errors.js';
import { fromBase64Url } from '../bytes/base64url.js';
import { parseJson, type Json } from '../bytes/json.js';

/** OIDC tokens are about 3 kB and PKI tokens about 12 kB; more is refused before anything is parsed. */
export const MAX_TOKEN_CHARS = 32 * 1024;

/** A compact JWS taken apart; nothing in it has been verified. */
export interface ParsedToken {
  readonly compact: string;
  readonly header: Readonly<Record<string, Json>>;
  readonly claims: Readonly<Record<string, Json>>;
  readonly signature: Uint8Array<ArrayBuffer>;
  readonly signingInput: string;
}

/**
 * Takes a compact JWS apart, strictly: three parts of canonical base64url, JSON objects without duplicate keys.
 * jose forgives trailing bits and blanks, and JSON.parse keeps the last of two keys, so this comes before both.
 * @throws AppError not_canonical | invalid_json
 */
export function parseToken(compact: string): ParsedToken {
  if (compact.length > MAX_TOKEN_CHARS) throw new AppError('not_canonical', `token over ${MAX_TOKEN_CHARS} characters`);
  const parts = compact.split('.');
  const [header, payload, signature] = parts;
  if (parts.length !== 3 || header === undefined || payload === undefined || signature === undefined) {
    throw new AppError('not_canonical', 'not a compact JWS of three parts');
  }
  return {
    compact,
    header: parseObject(header),
    claims: parseObject(payload),
    signature: fromBase64Url(signature),
    signingInput: `${header}.${payload}`
  };
}

function parseObject(part: string): Readonly<Record<string, Json>> {
  const value = parseJson(fromBase64Url(part));
  if (!isObject(value)) throw new AppError('invalid_json', 'not a JSON object');
  return value;
}

/** Whether a JSON value is an object: no list, and not null. */
export function isObject(value: Json | undefined): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
