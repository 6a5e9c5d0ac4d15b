/**
 * Published key sets (JWKS, RFC 7517), read strictly: a verifier publishes other things than keys to verify by, and whoever
 * answers in its place anything at all. What is not exactly a strong RSA signing key is dropped, with the reason.
 */
import { AppError } from '../errors.js';
import { fromBase64Url } from '../bytes/base64url.js';
import { jcs } from '../bytes/jcs.js';
import { parseJson } from '../bytes/json.js';
import { toUtf8 } from '../bytes/text.js';
import type { KeySet, TokenAlgorithm, VerifierJwk } from '../objects/trust.js';

/** A published set is about 2 kB; more is refused before it is parsed. */
export const MAX_KEY_SET_BYTES = 64 * 1024;
/** Google publishes two keys, Intel some pairs. */
export const MAX_KEYS = 16;
/** As many sets as an archive holds. */
export const MAX_KEY_SETS = 256;
const MIN_MODULUS_BITS = 2048;
const MAX_MODULUS_BITS = 8192;

/** Why a published key does not count, in words. */
export const DROP_REASONS = {
  not_a_key: 'it is not a JSON object',
  private_member: 'it has members of a private or symmetric key',
  not_rsa: 'it is not an RSA key',
  not_for_signatures: 'it is not for verifying signatures',
  algorithm: 'its algorithm is none that this verifier signs with',
  key_id: 'it has no key id of 1 to 256 printable characters',
  modulus: 'its modulus is not canonical, odd and of 2048 to 8192 bits',
  exponent: 'its exponent is not 65537',
  ambiguous: 'another key has the same id and algorithm'
} as const;
export type DropReason = keyof typeof DROP_REASONS;

/** A published key that does not count. `kid` is null where it has none that can be shown. */
export interface DroppedKey {
  readonly kid: string | null;
  readonly reason: DropReason;
}

export interface ReadKeySet {
  readonly keys: readonly VerifierJwk[];
  readonly dropped: readonly DroppedKey[];
}

/**
 * The keys of a published JWKS by which tokens may be verified. Unknown members are ignored, as the RFC demands.
 * @param document its bytes or text, or the JSON value that they hold
 * @param algorithms what this verifier signs with; a key that names none is for the only one, where there is only one
 * @throws AppError invalid_json | invalid_object | payload_too_large
 */
export function readKeySet(document: unknown, algorithms: readonly TokenAlgorithm[]): ReadKeySet {
  const items = itemsOf(parseDocument(document));
  const read = items.map(item => ({ kid: kidOf(item), ...readKey(item, algorithms) }));
  const [keys, dropped]: [VerifierJwk[], DroppedKey[]] = [[], []];
  for (const { kid, key, reason } of read) {
    if (key === undefined) dropped.push({ kid, reason });
    else if (read.some(other => other.key !== undefined && isRival(other.key, key))) dropped.push({ kid, reason: 'ambiguous' });
    else if (!keys.some(kept => slotOf(kept) === slotOf(key))) keys.push(key);
  }
  return { keys, dropped };
}

/**
 * The archive with one more set, in order of time. Of an unchanged run of sets the first and the last seen are kept, so an
 * archive grows by what changes and not by how often somebody looks.
 * @throws AppError payload_too_large where it is full: somebody must decide which old tokens need no longer be verified
 */
export function appendKeySet(archive: readonly KeySet[], set: KeySet): KeySet[] {
  const ordered = [...archive, set].sort((a, b) => (a.seen < b.seen ? -1 : a.seen > b.seen ? 1 : 0));
  const merged = ordered.filter((item, at) => {
    const [before, after] = [ordered[at - 1], ordered[at + 1]];
    if (before === undefined || !isUnchanged(before, item)) return true;
    return before.seen !== item.seen && !(after !== undefined && isUnchanged(item, after));
  });
  if (merged.length <= MAX_KEY_SETS) return merged;
  throw new AppError('payload_too_large', `the key archive would hold more than ${MAX_KEY_SETS} sets`, {
    hint: 'Keep a copy of the trust file, then remove its oldest key sets.'
  });
}

/** Whether two sets tell the same: equal keys, in any order, from one place. */
function isUnchanged(a: KeySet, b: KeySet): boolean {
  return a.source === b.source && contentOf(a) === contentOf(b);
}

const contentOf = (set: KeySet): string => set.keys.map(key => jcs(key)).sort().join('\n');

function parseDocument(document: unknown): unknown {
  if (typeof document !== 'string' && !(document instanceof Uint8Array)) return document;
  const size = typeof document === 'string' ? toUtf8(document).length : document.length;
  if (size > MAX_KEY_SET_BYTES) throw new AppError('payload_too_large', `a key set of over ${MAX_KEY_SET_BYTES} bytes`, { hint: 'This is no verifier’s key set.' });
  return parseJson(document);
}

function itemsOf(document: unknown): readonly unknown[] {
  const keys = memberOf(document, 'keys');
  const hint = 'A key set is JSON like {"keys":[…]} (RFC 7517).';
  if (!Array.isArray(keys)) throw new AppError('invalid_object', 'not a JSON Web Key Set', { hint });
  if (keys.length > MAX_KEYS) throw new AppError('invalid_object', `a key set of more than ${MAX_KEYS} keys`, { hint: 'This is no verifier’s key set.' });
  return keys;
}

type KeyReading = { readonly key: VerifierJwk; readonly reason?: never } | { readonly key?: never; readonly reason: DropReason };

/** RFC 7518 section 6.3.2 and 6.4: what a published key must not have. */
const SECRET_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

function readKey(item: unknown, algorithms: readonly TokenAlgorithm[]): KeyReading {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return { reason: 'not_a_key' };
  if (SECRET_MEMBERS.some(member => Object.hasOwn(item, member))) return { reason: 'private_member' };
  if (memberOf(item, 'kty') !== 'RSA') return { reason: 'not_rsa' };
  if (!isForSignatures(item)) return { reason: 'not_for_signatures' };
  const alg = algorithmOf(item, algorithms);
  if (alg === undefined) return { reason: 'algorithm' };
  const kid = kidOf(item);
  if (kid === null) return { reason: 'key_id' };
  const n = memberOf(item, 'n');
  if (typeof n !== 'string' || !isStrongModulus(n)) return { reason: 'modulus' };
  if (memberOf(item, 'e') !== 'AQAB') return { reason: 'exponent' };
  return { key: { kty: 'RSA', kid, alg, use: 'sig', n, e: 'AQAB' } };
}

/** `use` and `key_ops` may be absent; where they are there, they must say so (RFC 7517 sections 4.2 and 4.3). */
function isForSignatures(item: object): boolean {
  const [use, operations] = [memberOf(item, 'use'), memberOf(item, 'key_ops')];
  return (use === undefined || use === 'sig') && (operations === undefined || (Array.isArray(operations) && operations.includes('verify')));
}

function algorithmOf(item: object, algorithms: readonly TokenAlgorithm[]): TokenAlgorithm | undefined {
  const alg = memberOf(item, 'alg');
  if (alg === undefined) return algorithms.length === 1 ? algorithms[0] : undefined;
  return algorithms.find(algorithm => algorithm === alg);
}

/** Printable ASCII: it is shown to people, in terminals too. */
function kidOf(item: unknown): string | null {
  const kid = memberOf(item, 'kid');
  return typeof kid === 'string' && /^[\x20-\x7e]{1,256}$/.test(kid) ? kid : null;
}

function isStrongModulus(text: string): boolean {
  if (text.length > Math.ceil(MAX_MODULUS_BITS / 6)) return false;
  const bytes = bytesOf(text);
  const [first, last] = [bytes?.[0], bytes?.at(-1)];
  if (bytes === undefined || first === undefined || last === undefined || first === 0) return false;
  const bits = bytes.length * 8 - (Math.clz32(first) - 24);
  // No product of two odd primes is even.
  return bits >= MIN_MODULUS_BITS && bits <= MAX_MODULUS_BITS && last % 2 === 1;
}

function bytesOf(text: string): Uint8Array | undefined {
  try {
    return fromBase64Url(text);
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

/** What a token chooses its key by. */
const slotOf = (key: VerifierJwk): string => jcs([key.kid, key.alg]);

/** Two keys under one id and algorithm: a token would verify under either, and nobody could say by which. */
const isRival = (a: VerifierJwk, b: VerifierJwk): boolean => slotOf(a) === slotOf(b) && a.n !== b.n;

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
}
