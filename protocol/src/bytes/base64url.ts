import { AppError } from '../errors.js';

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

/**
 * Bytes of canonical unpadded base64url. Blanks, padding, other alphabets and non-zero trailing bits are
 * refused, because decoders that accept them make two texts of one value.
 * @throws AppError not_canonical
 */
export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) {
    throw new AppError('not_canonical', 'not unpadded base64url');
  }
  const bytes = decode(text.replaceAll('-', '+').replaceAll('_', '/'));
  if (toBase64Url(bytes) !== text) throw new AppError('not_canonical', 'base64url with trailing bits');
  return bytes;
}

/**
 * Bytes of canonical padded base64 (the form of an in-toto statement and of x5c entries).
 * @throws AppError not_canonical
 */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) {
    throw new AppError('not_canonical', 'not padded base64');
  }
  const bytes = decode(text);
  if (toBase64(bytes) !== text) throw new AppError('not_canonical', 'base64 with trailing bits');
  return bytes;
}

function decode(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), char => char.charCodeAt(0));
}
