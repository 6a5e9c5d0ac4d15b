import { bytesToHex } from '@noble/hashes/utils.js';
import { randomBytes } from '../bytes/text.js';
import { Time, UuidV7 } from './primitives.js';

/** UUID version 7 (RFC 9562 section 5.7): 48 bits of milliseconds, then 74 random bits. */
export function createId(now: Date): UuidV7 {
  const bytes = randomBytes(16);
  new DataView(bytes.buffer).setUint16(0, Math.floor(now.getTime() / 2 ** 32));
  new DataView(bytes.buffer).setUint32(2, now.getTime() % 2 ** 32);
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = bytesToHex(bytes);
  return UuidV7.parse([hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-'));
}

/** The wire’s form of a time. @throws RangeError for an invalid date, a ZodError beyond the year 9999 */
export function toTime(date: Date): Time {
  return Time.parse(date.toISOString());
}
