import { beforeAll, describe, expect, test } from 'vitest';
import { toBase64Url } from '../bytes/base64url.js';
import { jcs } from '../bytes/jcs.js';
import { toUtf8 } from '../bytes/text.js';
import { createTestSigner } from '../testing/index.js';
import { WITNESS, type Witness } from '../objects/witness.js';
import { digestOfJson } from '../bytes/digest.js';
import { AppError } from '../errors.js';
import { PublicJwk, thumbprintOf, type Signer } from './keys.js';
import { verifyObject } from './signed-object.js';

let signer: Signer;
let payload: Witness;
beforeAll(async () => {
  signer = await createTestSigner();
  payload = { v: 1, job: digestOfJson('job'), attempt: 1, session: 'A'.repeat(43), statement: digestOfJson('statement'), time: '2026-06-01T12:00:00.000Z' };
});

const TYP = 'cloister.witness.v1+jws';

/** Really signed, under whatever header. */
async function signed(header: unknown): Promise<string> {
  const text = `${toBase64Url(toUtf8(jcs(header)))}.${toBase64Url(toUtf8(jcs(payload)))}`;
  const signature = await crypto.subtle.sign('Ed25519', signer.key, toUtf8(text));
  return `${text}.${toBase64Url(new Uint8Array(signature))}`;
}

async function codeOf(header: unknown): Promise<string> {
  try {
    await verifyObject(WITNESS, await signed(header), signer.thumbprint);
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
  return 'verified';
}

test('a header of exactly alg, jwk and typ verifies', async () => {
  expect(await codeOf({ alg: 'EdDSA', jwk: signer.jwk, typ: TYP })).toBe('verified');
});

describe('B1 keys with more, less or other members than a public Ed25519 key has', () => {
  const KEYS: readonly [string, (jwk: PublicJwk) => unknown][] = [
    ['no key', () => undefined],
    ['null', () => null],
    ['its private half', jwk => ({ ...jwk, d: 'A'.repeat(43) })],
    ['an unknown member', jwk => ({ ...jwk, kid: 'mine' })],
    ['an algorithm of its own', jwk => ({ ...jwk, alg: 'none' })],
    ['another curve', jwk => ({ ...jwk, crv: 'X25519' })],
    ['another kind of key', jwk => ({ ...jwk, kty: 'EC' })],
    ['an RSA key', () => ({ kty: 'RSA', n: 'AQAB', e: 'AQAB' })],
    ['a secret', () => ({ kty: 'oct', k: 'AAAA' })],
    ['one byte less', jwk => ({ ...jwk, x: toBase64Url(new Uint8Array(31)) })],
    ['one byte more', jwk => ({ ...jwk, x: toBase64Url(new Uint8Array(33)) })],
    ['padding', jwk => ({ ...jwk, x: `${jwk.x}=` })],
    ['a list of keys', jwk => [jwk]]
  ];
  test.each(KEYS)('B1 %s', async (_, change) => {
    const jwk = change(signer.jwk);
    expect(await codeOf(jwk === undefined ? { alg: 'EdDSA', typ: TYP } : { alg: 'EdDSA', jwk, typ: TYP })).toBe('invalid_object');
  });

  test('B1 a point that is not on the curve', async () => {
    const off = { ...signer.jwk, x: toBase64Url(Uint8Array.from([2, ...Array<number>(31).fill(0)])) };
    expect(await codeOf({ alg: 'EdDSA', jwk: off, typ: TYP })).toBe('signature_invalid');
  });
});

describe('B2 thumbprints', () => {
  test('B2 are those of RFC 7638, by the example of RFC 8037 appendix A.3', async () => {
    const jwk = PublicJwk.parse({ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' });
    expect(await thumbprintOf(jwk)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
  });

  test('B2 do not depend on the order of members', async () => {
    const { x, crv, kty } = signer.jwk;
    expect(await thumbprintOf({ x, crv, kty })).toBe(signer.thumbprint);
  });
});

describe('B4 downgrades', () => {
  const HEADERS: readonly [string, Readonly<Record<string, unknown>>][] = [
    ['alg none', { alg: 'none' }],
    ['HS256', { alg: 'HS256' }],
    ['ES256', { alg: 'ES256' }],
    ['the algorithm under its newer name', { alg: 'Ed25519' }],
    ['another case', { alg: 'eddsa' }],
    ['compression', { zip: 'DEF' }],
    ['an extension that must be understood', { crit: ['b64'], b64: false }],
    ['an iteration count', { p2c: 1e9 }],
    ['a key from elsewhere', { jku: 'https://evil.example/jwks' }],
    ['another kind of object', { typ: 'cloister.receipt.v1+jws' }],
    ['another version of it', { typ: 'cloister.witness.v2+jws' }]
  ];
  test.each(HEADERS)('B4 %s', async (_, members) => {
    expect(await codeOf({ alg: 'EdDSA', jwk: signer.jwk, typ: TYP, ...members })).toBe('invalid_object');
  });
});
