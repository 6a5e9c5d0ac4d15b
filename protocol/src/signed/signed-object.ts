import { CompactSign, compactVerify } from 'jose';
import * as z from 'zod/mini';
import { AppError } from '../errors.js';
import { fromBase64Url } from '../bytes/base64url.js';
import { digestOf } from '../bytes/digest.js';
import { jcsBytes, parseJcs } from '../bytes/jcs.js';
import { CompactJws, type Digest, type Thumbprint } from '../objects/primitives.js';
import type { SignedKind } from './signed-kind.js';
import { PublicJwk, publicKeyOf, thumbprintOf, type Signer } from './keys.js';

/**
 * Signed objects: compact JWS (RFC 7515), EdDSA (RFC 8037), protected header exactly `{alg, jwk, typ}`, payload in
 * RFC 8785 form. Nothing is believed because of the key inside: its thumbprint must equal the signer that the
 * context expects. The digest of a signed object is that of its payload's bytes, never of the JWS text, since
 * Ed25519 signatures and header bytes can be made anew over one payload.
 *
 * This is one whose signature holds and whose signer is the expected one.
 */
export interface Verified<T> {
  readonly payload: T;
  /** Digest of the payload's bytes: the object's name everywhere. */
  readonly digest: Digest;
  readonly signer: Thumbprint;
  readonly jws: CompactJws;
}

const typOf = (kind: string): string => `cloister.${kind}.v1+jws`;

/** Signs a payload of this kind. @throws AppError invalid_object | not_canonical */
export async function signObject<S extends z.ZodMiniType>(
  kind: SignedKind<S>,
  payload: z.input<S>,
  signer: Signer
): Promise<Verified<z.output<S>>> {
  const parsed = parseAs(kind, payload);
  const bytes = jcsBytes(payload);
  const jws = await new CompactSign(bytes)
    .setProtectedHeader(headerOf(kind.kind, signer.jwk))
    .sign(signer.key);
  return { payload: parsed, digest: digestOf(bytes), signer: signer.thumbprint, jws: CompactJws.parse(jws) };
}

/**
 * For objects whose signer is the answer, not the condition: a request's proof, a receipt that is then looked up
 * among the named brokers. The caller must judge the signer.
 */
export const ANY_SIGNER = Symbol('any signer');

/**
 * @param expected the signer's thumbprint, or where the payload itself names the signer (an analyst in her
 *   manifest, an owner in a descriptor that is then looked up among the pinned), how to read it
 * @throws AppError not_canonical | invalid_object | signature_invalid | wrong_signer
 */
export async function verifyObject<S extends z.ZodMiniType>(
  kind: SignedKind<S>,
  jws: string,
  expected: Thumbprint | typeof ANY_SIGNER | ((payload: z.output<S>) => Thumbprint)
): Promise<Verified<z.output<S>>> {
  const { jwk, payloadBytes, compact } = parseCompact(kind.kind, jws);
  const key = await publicKeyOf(jwk);
  try {
    await compactVerify(compact, key, { algorithms: ['EdDSA'] });
  } catch (cause) {
    throw new AppError('signature_invalid', `the ${kind.kind} is not signed by the key it names`, { cause });
  }
  const payload = parseAs(kind, parseJcs(payloadBytes));
  const signer = await thumbprintOf(jwk);
  const wanted = typeof expected === 'function' ? expected(payload) : expected;
  if (wanted !== ANY_SIGNER && signer !== wanted) throw new AppError('wrong_signer', `the ${kind.kind} is signed by ${signer}, not by ${wanted}`);
  return { payload, digest: digestOf(payloadBytes), signer, jws: compact };
}

/** The payload without any verification, for display and for look-ups that are verified after. */
export function peekPayload<S extends z.ZodMiniType>(kind: SignedKind<S>, jws: string): { payload: z.output<S>; digest: Digest } {
  const { payloadBytes } = parseCompact(kind.kind, jws);
  return { payload: parseAs(kind, parseJcs(payloadBytes)), digest: digestOf(payloadBytes) };
}

/** Members in RFC 8785 order, since jose writes them in the order of the object. */
function headerOf(kind: string, { crv, kty, x }: PublicJwk): { alg: 'EdDSA'; jwk: PublicJwk; typ: string } {
  return { alg: 'EdDSA', jwk: { crv, kty, x }, typ: typOf(kind) };
}

function parseCompact(kind: string, jws: string): { jwk: PublicJwk; payloadBytes: Uint8Array<ArrayBuffer>; compact: CompactJws } {
  const compact = CompactJws.safeParse(jws);
  if (!compact.success) throw new AppError('not_canonical', `the ${kind} is not a compact JWS`);
  const [header = '', payload = '', signature = ''] = compact.data.split('.');
  fromBase64Url(signature);
  const Header = z.strictObject({ alg: z.literal('EdDSA'), jwk: PublicJwk, typ: z.literal(typOf(kind)) });
  const parsed = Header.safeParse(parseJcs(fromBase64Url(header)));
  if (!parsed.success) throw new AppError('invalid_object', `the header of the ${kind} is not exactly alg, jwk, typ`, { cause: parsed.error });
  return { jwk: parsed.data.jwk, payloadBytes: fromBase64Url(payload), compact: compact.data };
}

function parseAs<S extends z.ZodMiniType>(kind: SignedKind<S>, payload: unknown): z.output<S> {
  const parsed = kind.schema.safeParse(payload);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues.map(issue => issue.path.join('.') || '(whole)').slice(0, 5);
  throw new AppError('invalid_object', `the ${kind.kind} is not well formed at ${where.join(', ')}`, { cause: parsed.error });
}
