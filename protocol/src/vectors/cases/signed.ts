import { fromBase64Url, toBase64Url } from '../../bytes/base64url.js';
import { jcs } from '../../bytes/jcs.js';
import { parseJson, type Json } from '../../bytes/json.js';
import { fromUtf8, toUtf8 } from '../../bytes/text.js';
import type { ErrorCode } from '../../errors.js';
import { isObject } from '../../attestation/token.js';
import { signerOf } from '../../signed/keys.js';
import type { SignedKind } from '../../signed/signed-kind.js';
import { signObject } from '../../signed/signed-object.js';
import type * as z from 'zod/mini';
import { testKey } from '../fixtures.js';
import { toJson, type Draft, type FileDraft } from '../format.js';

export interface SignedSubject {
  readonly kind: SignedKind<z.ZodMiniType>;
  /** Name of the test key that signs it. */
  readonly signer: string;
  readonly payload: unknown;
  /** Payloads that are not of the shape, by what is wrong with each. */
  readonly misshapen: Readonly<Record<string, (payload: Record<string, Json>) => Json>>;
  readonly more?: readonly Draft[];
  readonly about: string;
}

const SPECS = ['RFC 7515', 'RFC 8037', 'RFC 7638', 'RFC 8785'];

/** One signed kind: its JWS byte for byte, and everything about a JWS that can be changed. */
export async function signedFile(subject: SignedSubject): Promise<FileDraft> {
  const { kind, about } = subject;
  const name = kind.kind;
  const key = await testKey(subject.signer);
  const signer = await signerOf(key);
  const payload = toJson(subject.payload);
  const { jws } = await signObject(kind, payload, signer);
  const verify = (title: string, changed: string, code: ErrorCode): Draft => ({
    name: title, operation: 'verify', input: { kind: name, jws: changed, signer: signer.thumbprint }, expect: { error: code }
  });
  const stranger = await signerOf(await testKey('stranger'));
  const misshapen = Object.entries({ ...ALWAYS_MISSHAPEN, ...subject.misshapen }).filter(([title]) => 'v' in members(payload) || title !== 'another version');
  return {
    kind: name,
    about,
    specs: SPECS,
    cases: [
      { name: 'signing gives this JWS, byte for byte', operation: 'sign', input: { kind: name, key, payload } },
      { name: 'it verifies, and is named by the digest of its payload', operation: 'verify', input: { kind: name, jws, signer: signer.thumbprint } },
      ...tampered(jws, verify),
      verify('signed by another key than expected', (await signObject(kind, payload, stranger)).jws, 'wrong_signer'),
      ...(await Promise.all(misshapen.map(async ([title, change]) => verify(title, await signRaw(name, change(members(payload)), subject.signer), 'invalid_object')))),
      ...(subject.more ?? [])
    ]
  };
}

const ALWAYS_MISSHAPEN: Readonly<Record<string, (payload: Record<string, Json>) => Json>> = {
  'an unknown member': payload => ({ ...payload, extra: 1 }),
  'another version': payload => ({ ...payload, v: 2 }),
  'not an object': () => [],
  'a member missing': payload => Object.fromEntries(Object.entries(payload).slice(0, -1))
};

function members(value: Json): Record<string, Json> {
  if (!isObject(value)) throw new Error('not an object');
  return value;
}

/** Changes of a JWS that need no key. */
function tampered(jws: string, verify: (title: string, jws: string, code: ErrorCode) => Draft): Draft[] {
  const [header = '', payload = '', signature = ''] = jws.split('.');
  const parsed = members(parseJson(fromBase64Url(header)));
  const withHeader = (value: Json): string => `${encode(jcs(value))}.${payload}.${signature}`;
  // 64 bytes leave four bits over: the last character is one of A, Q, g, w, and the next one has a bit set.
  const last = String.fromCharCode(signature.charCodeAt(signature.length - 1) + 1);
  return [
    verify('one character of the signature changed', `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`, 'signature_invalid'),
    verify('one byte of the payload changed', `${header}.${flipByte(payload)}.${signature}`, 'signature_invalid'),
    verify('a payload with a blank', `${header}.${encode(` ${fromUtf8(fromBase64Url(payload))}`)}.${signature}`, 'signature_invalid'),
    verify('trailing bits in the signature', `${header}.${payload}.${signature.slice(0, -1)}${last}`, 'not_canonical'),
    verify('padding', `${jws}=`, 'not_canonical'),
    verify('two parts', `${header}.${payload}`, 'not_canonical'),
    verify('four parts', `${jws}.${signature}`, 'not_canonical'),
    verify('a header with another member', withHeader({ ...parsed, kid: 'x' }), 'invalid_object'),
    verify('alg none', withHeader({ ...parsed, alg: 'none' }), 'invalid_object'),
    verify('alg HS256', withHeader({ ...parsed, alg: 'HS256' }), 'invalid_object'),
    verify('the typ of another kind', withHeader({ ...parsed, typ: 'cloister.other.v1+jws' }), 'invalid_object'),
    verify('a private key in the header', withHeader({ ...parsed, jwk: { ...members(parsed['jwk'] ?? null), d: 'A'.repeat(43) } }), 'invalid_object'),
    verify('a header that is not canonical', `${encode(`{ ${jcs(parsed).slice(1)}`)}.${payload}.${signature}`, 'not_canonical'),
    verify('a header with two equal keys', `${encode(`{"alg":"none",${jcs(parsed).slice(1)}`)}.${payload}.${signature}`, 'invalid_json')
  ];
}

const encode = (text: string): string => toBase64Url(toUtf8(text));

function flipByte(part: string): string {
  const bytes = fromBase64Url(part);
  const at = bytes.length >> 1;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return toBase64Url(bytes);
}

/** A JWS whose signature holds, over any payload: what a signer that does not keep to the shapes would make. */
export async function signRaw(kind: string, payload: Json, signerName: string): Promise<string> {
  return signText(kind, jcs(payload), signerName);
}

export async function signText(kind: string, text: string, signerName: string): Promise<string> {
  const { jwk, key } = await signerOf(await testKey(signerName));
  const header = encode(jcs({ alg: 'EdDSA', jwk: { crv: jwk.crv, kty: jwk.kty, x: jwk.x }, typ: `cloister.${kind}.v1+jws` }));
  const input = `${header}.${encode(text)}`;
  const signature = await crypto.subtle.sign('Ed25519', key, toUtf8(input));
  return `${input}.${toBase64Url(new Uint8Array(signature))}`;
}

/** The key and payload of RFC 8037's appendix A, where this protocol's words can be held against others'. */
export function keysFile(): FileDraft {
  // Under the neutral point as key, this signature holds for every message: no private key is needed.
  const neutral = { crv: 'Ed25519', kty: 'OKP', x: `AQ${'A'.repeat(41)}` };
  const forged = (x: string): string => `${encode(jcs({ alg: 'EdDSA', jwk: { ...neutral, x }, typ: 'cloister.approval.v1+jws' }))}.${encode('{}')}.${toBase64Url(Uint8Array.from({ length: 64 }, (_, at) => (at === 0 ? 1 : 0)))}`;
  const refuse = (name: string, x: string): Draft => ({ name, operation: 'verify', input: { kind: 'approval', jws: forged(x), signer: 'A'.repeat(43) }, expect: { error: 'signature_invalid' } });
  return {
    kind: 'keys',
    about: 'Parties are named by the RFC 7638 thumbprint of their Ed25519 key. The first case is RFC 8037 appendix A.3.',
    specs: ['RFC 7638', 'RFC 8037'],
    cases: [
      {
        name: 'RFC 8037 appendix A.3', operation: 'thumbprint', input: { jwk: { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' } },
        expect: { ok: { thumbprint: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k' } }
      },
      refuse('the neutral point, under which one signature holds for everything', neutral.x),
      refuse('a point of order two', `7P${'_'.repeat(39)}38`),
      refuse('a number that is not reduced', `7v${'_'.repeat(39)}38`)
    ]
  };
}
