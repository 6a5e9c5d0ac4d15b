import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { fromBase64Url, toBase64, toBase64Url } from '../bytes/base64url.js';
import { fromUtf8, toUtf8 } from '../bytes/text.js';
import { createTestRelyingParty, TEST_KEY_ID, type TestRelyingParty, type TestTokenKey } from '../testing/index.js';
import { MAX_OIDC_TOKEN_CHARS, MAX_TOKEN_CHARS } from './token.js';
import { ATTESTATION_CHECK_IDS } from './verify.js';

/** What an attacker does to the envelope of a token: J1 to J4 (RFC 8725 names most of them). Each is really signed, where it can be. */
let google: TestRelyingParty;
let intel: TestRelyingParty;
let stranger: TestRelyingParty;
let good: string;
beforeAll(async () => {
  [google, intel, stranger] = await Promise.all([createTestRelyingParty({ kind: 'google' }), createTestRelyingParty({ kind: 'intel' }), createTestRelyingParty({ kind: 'google' })]);
  good = await google.mint();
}, 60_000);
afterEach(() => vi.unstubAllGlobals());

type Header = Record<string, unknown>;
const HEADER: Header = { alg: 'RS256', typ: 'JWT', kid: TEST_KEY_ID };

const partsOf = (token: string): [string, string, string] => {
  const [header = '', payload = '', signature = ''] = token.split('.');
  return [header, payload, signature];
};
const textOf = (part: string): string => fromUtf8(fromBase64Url(part));
const encoded = (json: object): string => toBase64Url(toUtf8(JSON.stringify(json)));

/** The good token's claims under another header, signed by what the verifier has. */
const underHeader = (header: Header, key: TestTokenKey = 'oidc', by = google): Promise<string> => by.verifier.sign({ header: JSON.stringify(header), payload: textOf(partsOf(good)[1]) }, key);

/** The good token's claims under another header, signed by any key. */
async function signedBy(header: Header, key: CryptoKey, algorithm: AlgorithmIdentifier | RsaPssParams | EcdsaParams): Promise<string> {
  const input = `${encoded(header)}.${partsOf(good)[1]}`;
  return `${input}.${toBase64Url(new Uint8Array(await crypto.subtle.sign(algorithm, key, toUtf8(input))))}`;
}

async function publicKeyBytes(): Promise<[string, Uint8Array<ArrayBuffer>][]> {
  const { publicKey } = google.verifier.keys.oidc;
  const spki = new Uint8Array(await crypto.subtle.exportKey('spki', publicKey));
  const jwk = await crypto.subtle.exportKey('jwk', publicKey);
  const pem = `-----BEGIN PUBLIC KEY-----\n${(toBase64(spki).match(/.{1,64}/g) ?? []).join('\n')}\n-----END PUBLIC KEY-----\n`;
  return [['DER', spki], ['PEM', toUtf8(pem)], ['modulus', fromBase64Url(jwk.n ?? '')], ['JWK', toUtf8(JSON.stringify(google.verifier.pinned.jwks[0]?.keys[0]))]];
}

describe('J1 another algorithm than the verifier’s', () => {
  test('J1 alg none, without a signature and with the old one', async () => {
    const [, payload, signature] = partsOf(good);
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '']) {
      for (const end of ['', signature]) {
        const refused = await google.refusals(`${encoded({ ...HEADER, alg })}.${payload}.${end}`);
        expect(refused).toEqual(['algorithm', 'key', 'signature']);
      }
    }
  });

  test('J1 HS256 whose secret is the public key, in each of its forms', async () => {
    for (const [, secret] of await publicKeyBytes()) {
      const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
      expect(await google.refusals(await signedBy({ ...HEADER, alg: 'HS256' }, key, 'HMAC'))).toEqual(['algorithm', 'key', 'signature']);
      expect(await google.refusals(await signedBy(HEADER, key, 'HMAC'))).toEqual(['signature']);
    }
  });

  test('J1 PS256 and RS512 by the pinned key itself, ES256 by a key of its own', async () => {
    const pkcs8 = await crypto.subtle.exportKey('pkcs8', google.verifier.keys.oidc.privateKey);
    const pss = await crypto.subtle.importKey('pkcs8', pkcs8, { name: 'RSA-PSS', hash: 'SHA-256' }, false, ['sign']);
    const sha512 = await crypto.subtle.importKey('pkcs8', pkcs8, { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-512' }, false, ['sign']);
    const curve = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
    const tokens: [string, string][] = [
      ['PS256', await signedBy({ ...HEADER, alg: 'PS256' }, pss, { name: 'RSA-PSS', saltLength: 32 })],
      ['RS512', await signedBy({ ...HEADER, alg: 'RS512' }, sha512, 'RSASSA-PKCS1-v1_5')],
      ['ES256', await signedBy({ ...HEADER, alg: 'ES256' }, curve.privateKey, { name: 'ECDSA', hash: 'SHA-256' })]
    ];
    for (const [alg, token] of tokens) expect(await google.refusals(token), alg).toEqual(['algorithm', 'key', 'signature']);
    // The same signatures under the right name are none.
    expect(await google.refusals(await signedBy(HEADER, pss, { name: 'RSA-PSS', saltLength: 32 }))).toEqual(['signature']);
    expect(await google.refusals(await signedBy(HEADER, sha512, 'RSASSA-PKCS1-v1_5'))).toEqual(['signature']);
  });

  test('J1 PS384 for a verifier that signs by RS256 only', async () => {
    expect(await google.refusals(await underHeader({ ...HEADER, alg: 'PS384' }, 'pss'))).toEqual(['algorithm', 'key', 'signature']);
    expect(await google.refusals(await underHeader(HEADER, 'pss'))).toEqual(['signature']);
  });

  test('J1 two keys under one id: each verifies its own algorithm and not the other’s', async () => {
    const payload = textOf(partsOf(await intel.mint())[1]);
    const sign = (alg: string, key: TestTokenKey): Promise<string> => intel.verifier.sign({ header: JSON.stringify({ ...HEADER, alg }), payload }, key);
    expect(await intel.refusals(await sign('RS256', 'oidc'))).toEqual([]);
    expect(await intel.refusals(await sign('PS384', 'pss'))).toEqual([]);
    expect(await intel.refusals(await sign('RS256', 'pss'))).toEqual(['signature']);
    expect(await intel.refusals(await sign('PS384', 'oidc'))).toEqual(['signature']);
    expect(await intel.refusals(await sign('PS256', 'pss'))).toEqual(['algorithm', 'key', 'signature']);
  });

  test('J1 a PS384 signature with another length of salt', async () => {
    const [header, payload] = partsOf(await intel.mint({ algorithm: 'PS384' }));
    const { privateKey } = intel.verifier.keys.pss;
    for (const saltLength of [0, 32, 47, 49]) {
      const signature = await crypto.subtle.sign({ name: 'RSA-PSS', saltLength }, privateKey, toUtf8(`${header}.${payload}`));
      expect(await intel.refusals(`${header}.${payload}.${toBase64Url(new Uint8Array(signature))}`)).toEqual(['signature']);
    }
  });

  test.each(['rs256', 'Rs256', 'RS256 ', 'RS-256', 256, null, ['RS256'], { name: 'RS256' }, true])('J1 alg %j, signed by the right key', async alg => {
    expect(await google.refusals(await underHeader({ ...HEADER, alg }))).toEqual(['algorithm', 'key', 'signature']);
  });

  test('J1 no alg at all', async () => {
    expect(await google.refusals(await underHeader({ typ: 'JWT', kid: TEST_KEY_ID }))).toEqual(['algorithm', 'key', 'signature']);
  });

  test.each<[string, Header]>([
    ['b64 false', { b64: false }],
    ['b64 false, said to be critical', { b64: false, crit: ['b64'] }],
    ['a critical member that nobody knows', { crit: ['exp2'], exp2: 1 }],
    ['a critical member that is none', { crit: [] }],
    ['compressed claims', { zip: 'DEF' }],
    ['an encrypted token’s members', { enc: 'A256GCM' }],
    ['a key agreement', { epk: { kty: 'EC' } }],
    ['another type', { typ: 'at+jwt' }],
    ['a type in lower case', { typ: 'jwt' }],
    ['a type that is no text', { typ: ['JWT'] }]
  ])('J1 %s in the header, signed by the right key', async (_, more) => {
    expect(await google.refusals(await underHeader({ ...HEADER, ...more }))).toEqual(['algorithm']);
  });

  test('J1 an encrypted token of five parts, and the JSON forms of a signed one', async () => {
    const [header, payload, signature] = partsOf(good);
    const jwe = [encoded({ alg: 'RSA-OAEP', enc: 'A256GCM' }), header, payload, signature, signature].join('.');
    const flattened = JSON.stringify({ protected: header, payload, signature });
    const general = JSON.stringify({ payload, signatures: [{ protected: header, signature }] });
    for (const form of [jwe, flattened, general, `"${good}"`, `Bearer ${good}`]) {
      const [first] = await google.refusals(form);
      expect(['token_form', 'encoding']).toContain(first);
    }
  });
});

describe('J2 a token that says by which key to verify it', () => {
  test('J2 jwk, jku and x5u of an attacker are not read, and nothing is fetched', async () => {
    const fetched = vi.fn();
    vi.stubGlobal('fetch', fetched);
    const jwk = await crypto.subtle.exportKey('jwk', stranger.verifier.keys.oidc.publicKey);
    for (const more of [{ jwk }, { jku: 'https://evil.example/jwks' }, { x5u: 'https://evil.example/chain' }, { jwk, jku: 'https://evil.example/jwks', x5u: 'https://evil.example/chain' }]) {
      expect(await google.refusals(await underHeader({ ...HEADER, ...more }, 'oidc', stranger))).toEqual(['signature']);
      // Under the right signature they are only ignored: Intel's own tokens carry jku.
      expect(await google.refusals(await underHeader({ ...HEADER, ...more }))).toEqual([]);
    }
    expect(fetched).not.toHaveBeenCalled();
  });

  test('J2 certificates of an attacker, beside a key id that is pinned', async () => {
    const { x5c } = stranger.verifier.chain;
    expect(await google.refusals(await underHeader({ ...HEADER, x5c }, 'leaf', stranger))).toEqual(['key', 'signature']);
    expect(await google.refusals(await underHeader({ ...HEADER, x5c }))).toEqual(['key', 'signature']);
    const payload = textOf(partsOf(await intel.mint())[1]);
    const forged = await stranger.verifier.sign({ header: JSON.stringify({ ...HEADER, x5c }), payload }, 'leaf');
    expect(await intel.refusals(forged)).toEqual(['signature']);
  });

  test('J2 certificates for a verifier that has none pinned', async () => {
    const token = await google.mint({ kind: 'pki' });
    expect(await google.refusals(token, { pinned: [{ ...google.verifier.pinned, roots: [] }] })).toEqual(['key', 'signature']);
  });

  test.each([undefined, '', 'other', TEST_KEY_ID.toUpperCase(), `${TEST_KEY_ID} `, '../test-key', 7, null, [TEST_KEY_ID]])('J2 kid %j', async kid => {
    expect(await google.refusals(await underHeader({ ...HEADER, kid }))).toEqual(['key', 'signature']);
  });
});

describe('J3 another text of a token', () => {
  const afterForm = ATTESTATION_CHECK_IDS;
  const afterEncoding = ATTESTATION_CHECK_IDS.slice(1);

  test('J3 parts that are missing, empty or too many', async () => {
    const [header, payload, signature] = partsOf(good);
    for (const form of ['', header, `${header}.${payload}`, `${good}.`, `.${good}`, `${good}.${signature}`, `${header}..${payload}.${signature}`]) expect(await google.refusals(form), form).toEqual(afterForm);
    expect(await google.refusals(`${header}.${payload}.`)).toEqual(['signature']);
    for (const form of ['..', `.${payload}.${signature}`, `${header}..${signature}`]) expect(await google.refusals(form), form).toEqual(ATTESTATION_CHECK_IDS.slice(2));
  });

  test.each(['RS256', 'PS384'] as const)('J3 a %s signature without its leading zero, or with one more', async algorithm => {
    // One signature in 256 begins with a zero byte.
    const first = async (from: number): Promise<string> => {
      const token = await intel.mint({ algorithm, claims: { sequence: from } });
      return fromBase64Url(partsOf(token)[2])[0] === 0 ? token : first(from + 1);
    };
    const token = await first(0);
    const [header, payload, signature] = partsOf(token);
    const bytes = fromBase64Url(signature);
    expect(await intel.refusals(token)).toEqual([]);
    for (const other of [bytes.subarray(1), Uint8Array.from([0, ...bytes])]) expect(await intel.refusals(`${header}.${payload}.${toBase64Url(other)}`)).toEqual(['signature']);
  }, 60_000);

  test('J3 blanks, padding, another alphabet, trailing bits: in any part', async () => {
    const parts = partsOf(good);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const changes: ((part: string) => string)[] = [
      ...[' ', '\n', '\t', '\r\n', '\0', '\u00a0', '\ufeff', '='].flatMap(more => [(part: string): string => part + more, (part: string): string => more + part, (part: string): string => part.slice(0, 4) + more + part.slice(4)]),
      part => part + '=='.slice(0, -part.length % 4),
      part => part.slice(0, -1) + '+',
      part => part.slice(0, -1) + '/',
      part => `${part}é`
    ];
    for (const at of [0, 1, 2]) {
      for (const change of changes) {
        const changed = parts.with(at, change(parts[at] ?? '')).join('.');
        if (changed !== good) expect(await google.refusals(changed), JSON.stringify(changed)).toEqual(afterEncoding);
      }
      const part = parts[at] ?? '';
      if (part.length % 4 === 0) continue;
      const last = alphabet.indexOf(part.at(-1) ?? '');
      expect(await google.refusals(parts.with(at, part.slice(0, -1) + (alphabet[last + 1] ?? '')).join('.'))).toEqual(afterEncoding);
    }
  });

  test('J3 the limits, to the character: 16 KiB without certificates, 32 KiB with them', async () => {
    for (const [kind, limit] of [['oidc', MAX_OIDC_TOKEN_CHARS], ['pki', MAX_TOKEN_CHARS]] as const) {
      expect(limit).toBe(kind === 'oidc' ? 16_384 : 32_768);
      const start = (await google.mint({ kind, claims: { padding: '' } })).length;
      const room = Math.floor(((limit - start) * 3) / 4);
      const seen = new Set<boolean>();
      for (const size of [-3, -2, -1, 0, 1, 2, 3, 4].map(more => room + more)) {
        const token = await google.mint({ kind, claims: { padding: 'x'.repeat(size) } });
        const refused = await google.refusals(token);
        expect(refused.length === 0, `${kind}, ${token.length} characters`).toBe(token.length <= limit);
        if (refused.length > 0) expect(refused[0]).toBe('token_form');
        seen.add(token.length <= limit);
      }
      expect(seen.size).toBe(2);
    }
  });

  test('J3 what is too long is not decoded', async () => {
    expect(await google.refusals(`${'!'.repeat(40_000)}.a.b`)).toEqual(afterForm);
    expect(await google.refusals('.'.repeat(40_000))).toEqual(afterForm);
  });
});

describe('J4 claims that two readers would read differently', () => {
  const unreadable = ATTESTATION_CHECK_IDS.slice(2);
  const claims = (): string => textOf(partsOf(good)[1]);

  test.each<[string, (text: string) => string]>([
    ['a claim twice, the same', text => text.replace('{', '{"secboot":true,')],
    ['a claim twice, the last one good', text => text.replace('{', '{"dbgstat":"enabled",')],
    ['a claim twice, the first one good', text => text.replace(/}$/, ',"dbgstat":"enabled"}')],
    ['a claim twice, once with an escape', text => text.replace('{', '{"\\u0064bgstat":"enabled",')],
    ['a member twice, far inside', text => text.replace('"image_digest"', '"image_digest":"x","image_digest"')],
    ['a prototype', text => text.replace('{', '{"__proto__":{"secboot":true},')],
    ['a prototype with an escape', text => text.replace('{', '{"__proto\\u005f_":{},')],
    ['four thousand lists', text => text.replace('{', `{"deep":${'['.repeat(4000)}${']'.repeat(4000)},`)],
    ['65 objects', text => text.replace('{', `{"deep":${'{"a":'.repeat(65)}1${'}'.repeat(65)},`)],
    ['a number that no double holds', text => text.replace(/"exp":\d+/, '"exp":1e400')],
    ['a lone surrogate', text => text.replace('{', '{"x":"\\ud800",')],
    ['bytes behind it', text => `${text}{}`],
    ['a byte order mark', text => `\ufeff${text}`],
    ['a comment', text => text.replace('{', '{/**/')],
    ['a comma too many', text => text.replace(/}$/, ',}')],
    ['a list', text => `[${text}]`],
    ['a text', text => JSON.stringify(text)],
    ['null', () => 'null'],
    ['nothing', () => '']
  ])('J4 %s, signed', async (_, change) => {
    const payload = change(claims());
    expect(payload).not.toBe(claims());
    expect(await google.refusals(await google.verifier.sign({ header: JSON.stringify(HEADER), payload }))).toEqual(unreadable);
  });

  test('J4 the same of the header', async () => {
    const text = JSON.stringify(HEADER);
    const headers = [text.replace('{', '{"alg":"none",'), text.replace('{', '{"kid":"x",'), text.replace('{', '{"__proto__":{},'), `[${text}]`, '[]', 'null', '1', text.replace('{', `{"x":${'['.repeat(100)}${']'.repeat(100)},`)];
    for (const header of headers) expect(await google.refusals(await google.verifier.sign({ header, payload: claims() })), header).toEqual(unreadable);
  });

  test('J4 bytes that are not UTF-8, signed', async () => {
    const bytes = toUtf8(claims());
    const payload = bytes.with(bytes.indexOf(0x6e), 0xff);
    expect(await google.refusals(await google.verifier.sign({ header: JSON.stringify(HEADER), payload }))).toEqual(unreadable);
  });
});
