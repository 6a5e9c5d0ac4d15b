import { AppError } from '../errors.js';
import { fromBase64UrlBytes } from '../bytes/base64url.js';
import { parseJson, type Json } from '../bytes/json.js';
import { toUtf8 } from '../bytes/text.js';
import { fail, pass, skipped, type CheckOutcome } from './check.js';

/** PKI tokens are about 12 kB; more than this is refused before anything is decoded. */
export const MAX_TOKEN_CHARS = 32 * 1024;
/** Tokens without certificates are about 3 kB; more than this is refused before the claims are read. */
export const MAX_OIDC_TOKEN_CHARS = 16 * 1024;

/** A compact JWS taken apart; nothing in it has been verified. */
export interface ParsedToken {
  readonly compact: string;
  readonly header: Readonly<Record<string, Json>>;
  readonly claims: Readonly<Record<string, Json>>;
  readonly signature: Uint8Array<ArrayBuffer>;
  /** Header and payload as they were signed. */
  readonly signingInput: Uint8Array<ArrayBuffer>;
}

/** What `readToken` found: the token where all three questions are answered by yes. */
export interface TokenReading {
  readonly form: CheckOutcome;
  readonly encoding: CheckOutcome;
  readonly uniqueKeys: CheckOutcome;
  readonly token?: ParsedToken;
}

/**
 * Takes a compact JWS (RFC 7515 section 3.1) apart, strictly: its size, three parts of canonical base64url, JSON objects
 * without duplicate keys. Libraries forgive trailing bits and blanks, and JSON.parse keeps the last of two keys, so that
 * two readers could see two tokens under one signature.
 */
export function readToken(compact: string): TokenReading {
  const first = compact.indexOf('.');
  const second = compact.indexOf('.', first + 1);
  if (compact.length > MAX_TOKEN_CHARS || first < 0 || second < 0 || compact.includes('.', second + 1)) {
    const form = fail(`three parts, at most ${MAX_TOKEN_CHARS} characters`, `${compact.length} characters, ${Math.min(compact.split('.', 9).length, 9)} parts`);
    return { form, encoding: skipped('the token is not well formed'), uniqueKeys: skipped('the token is not well formed') };
  }
  return decodeParts(compact, first, second);
}

function decodeParts(compact: string, first: number, second: number): TokenReading {
  const bytes = toUtf8(compact);
  const decoded = attempt(() => {
    // Else the dots are elsewhere in the bytes.
    if (bytes.length !== compact.length) throw new AppError('not_canonical', 'a character that is none of the alphabet');
    return [fromBase64UrlBytes(bytes.subarray(0, first)), fromBase64UrlBytes(bytes.subarray(first + 1, second)), fromBase64UrlBytes(bytes.subarray(second + 1))] as const;
  });
  if (decoded instanceof AppError) return { form: pass(), encoding: fail('canonical unpadded base64url', decoded.detail), uniqueKeys: skipped('the token cannot be decoded') };
  const encoding = pass();
  const header = attempt(() => parseObject(decoded[0]));
  if (header instanceof AppError) return { form: pass(), encoding, uniqueKeys: unreadable('header', header) };
  if (header['x5c'] === undefined && compact.length > MAX_OIDC_TOKEN_CHARS) {
    return { form: fail(`at most ${MAX_OIDC_TOKEN_CHARS} characters without certificates`, compact.length), encoding, uniqueKeys: skipped('the token is too long') };
  }
  const claims = attempt(() => parseObject(decoded[1]));
  if (claims instanceof AppError) return { form: pass(), encoding, uniqueKeys: unreadable('payload', claims) };
  return { form: pass(), encoding, uniqueKeys: pass(), token: { compact, header, claims, signature: decoded[2], signingInput: bytes.subarray(0, second) } };
}

/**
 * The token’s parts where it is well formed, for whoever shows a token; nothing in it has been verified.
 * @throws AppError not_canonical | invalid_json
 */
export function parseToken(compact: string): ParsedToken {
  const { form, encoding, token } = readToken(compact);
  if (form.status !== 'pass') throw new AppError('not_canonical', 'not a compact JWS of three parts and bounded size');
  if (encoding.status !== 'pass') throw new AppError('not_canonical', 'a part of the token is not canonical base64url');
  if (token === undefined) throw new AppError('invalid_json', 'header or payload is no JSON object with each key once');
  return token;
}

const unreadable = (part: string, error: AppError): CheckOutcome => fail('a JSON object with each key once', `${part}: ${error.detail}`);

function attempt<T>(read: () => T): T | AppError {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof AppError) return cause;
    throw cause;
  }
}

function parseObject(bytes: Uint8Array): Readonly<Record<string, Json>> {
  const value = parseJson(bytes);
  if (!isObject(value)) throw new AppError('invalid_json', 'not a JSON object');
  return value;
}

/** Whether a JSON value is an object: no list, and not null. */
export function isObject(value: Json | undefined): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
