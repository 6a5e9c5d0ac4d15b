import { AppError } from '../errors.js';
import { toUtf8 } from './text.js';

/** Unpadded base64url (RFC 4648 section 5) of bytes. */
export function toBase64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** Padded standard base64 (RFC 4648 section 4) of bytes. */
export function toBase64(bytes: Uint8Array): string {
  const chunks: string[] = [];
  for (let at = 0; at < bytes.length; at += 0x8000) {
    chunks.push(String.fromCharCode(...bytes.subarray(at, at + 0x8000)));
  }
  return btoa(chunks.join(''));
}

/** What a character stands for that is none of the alphabet: one bit more than values have. */
const NO_VALUE = 64;
const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const BASE64URL = valuesOf(`${ALPHANUMERIC}-_`);
const BASE64 = valuesOf(`${ALPHANUMERIC}+/`);

/** Value of each byte of a text. */
function valuesOf(alphabet: string): Uint8Array {
  const values = new Uint8Array(256).fill(NO_VALUE);
  for (let value = 0; value < alphabet.length; value += 1) values[alphabet.charCodeAt(value)] = value;
  return values;
}

/**
 * Bytes of canonical unpadded base64url. Blanks, padding, other alphabets and non-zero trailing bits are
 * refused, because decoders that accept them make two texts of one value.
 * @throws AppError not_canonical
 */
export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  return fromBase64UrlBytes(toUtf8(text));
}

/** The same of a text that is there as UTF-8, such as a part of a token. @throws AppError not_canonical */
export function fromBase64UrlBytes(text: Uint8Array): Uint8Array<ArrayBuffer> {
  return decode(text, text.length, BASE64URL);
}

/**
 * Bytes of canonical padded base64 (the form of an in-toto statement and of x5c entries).
 * @throws AppError not_canonical
 */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  if (text.length % 4 !== 0) throw new AppError('not_canonical', 'not padded base64');
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  return decode(toUtf8(text), text.length - padding, BASE64);
}

/**
 * By hand and not by atob, which forgives blanks and trailing bits, so that its work would have to be undone to compare. Bytes
 * beyond ASCII stand for nothing.
 */
function decode(codes: Uint8Array, length: number, values: Uint8Array): Uint8Array<ArrayBuffer> {
  if (length % 4 === 1) throw new AppError('not_canonical', 'not base64: one character too many');
  const bytes = new Uint8Array(Math.floor((length * 3) / 4));
  const valueAt = (at: number): number => values[codes[at] ?? 0] ?? NO_VALUE;
  const whole = length - (length % 4);
  let seen = 0;
  let to = 0;
  for (let at = 0; at < whole; at += 4) {
    const a = valueAt(at);
    const b = valueAt(at + 1);
    const c = valueAt(at + 2);
    const d = valueAt(at + 3);
    seen |= a | b | c | d;
    bytes[to] = (a << 2) | (b >> 4);
    bytes[to + 1] = (b << 4) | (c >> 2);
    bytes[to + 2] = (c << 6) | d;
    to += 3;
  }
  if (whole < length) {
    const [a, b, c] = [valueAt(whole), valueAt(whole + 1), whole + 2 < length ? valueAt(whole + 2) : 0];
    seen |= a | b | c;
    if ((whole + 2 < length ? c & 3 : b & 15) !== 0) throw new AppError('not_canonical', 'base64 with trailing bits');
    bytes[to] = (a << 2) | (b >> 4);
    if (whole + 2 < length) bytes[to + 1] = (b << 4) | (c >> 2);
  }
  if ((seen & NO_VALUE) !== 0) throw new AppError('not_canonical', 'a character that is none of the alphabet');
  return bytes;
}
