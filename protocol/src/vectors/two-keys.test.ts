import { createDecipheriv, hkdfSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { toUtf8 } from '../bytes/text.js';
import { testBytes } from './fixtures.js';
import { payloadUnderTwoKeys } from './two-keys.js';

function openPayload(payload: Uint8Array, fileKey: Uint8Array): Uint8Array {
  const key = new Uint8Array(hkdfSync('sha256', fileKey, payload.subarray(0, 16), 'payload', 32));
  const nonce = new Uint8Array(12);
  nonce[11] = 1;
  const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 });
  decipher.setAuthTag(payload.subarray(-16));
  const plaintext = decipher.update(payload.subarray(16, -16));
  decipher.final();
  return plaintext;
}

test('one payload authenticates under two file keys, to two plaintexts', () => {
  const [a, b] = [testBytes('a').subarray(0, 16), testBytes('b').subarray(0, 16)];
  const start = toUtf8('what A is to see');
  const payload = payloadUnderTwoKeys(a, b, testBytes('nonce').subarray(0, 16), start);
  expect(openPayload(payload, a).subarray(0, 16)).toEqual(Buffer.from(start));
  expect(openPayload(payload, b)).not.toEqual(openPayload(payload, a));
  expect(() => openPayload(payload, testBytes('c').subarray(0, 16))).toThrow();
});
