import type { PinnedVerifier, TokenAlgorithm, VerifierJwk } from '../objects/trust.js';
import { fail, pass, unknown, type CheckOutcome } from './check.js';
import { VERIFIER_TRAITS } from './issuers.js';

/** How long after it was last seen a key set still speaks for the present: a week. Later, nobody knows what was withdrawn. */
export const KEY_SET_MAX_AGE_SECONDS = 7 * 24 * 3600;

/** A key that counts for a token, or why none does. */
export interface KeyFinding {
  readonly outcome: CheckOutcome;
  readonly key?: VerifierJwk;
}

/** What the token says of the key that signed it. */
export interface KeyQuestion {
  /** Header member `kid`. */
  readonly kid: string;
  readonly algorithm: TokenAlgorithm;
  /** `iat`, in seconds. */
  readonly issuedAt: number;
}

/**
 * The key of a verifier's archive that counted when a token was issued: the one of this id and this algorithm (two keys
 * may share an id: Intel's do) in the last key set seen before that time, or in the first seen after it. A key that was withdrawn
 * before counts no more, or whoever stole it later could date tokens back to nothing.
 */
export function findKey(verifier: PinnedVerifier, question: KeyQuestion): KeyFinding {
  const { kid, algorithm, issuedAt } = question;
  const archived = archivedKeys(verifier, question);
  const [first] = archived;
  if (first === undefined) return { outcome: unknown(`no pinned key of ${verifier.issuer} has the id ${kid} for ${algorithm}: update the trust file`) };
  const { key } = first;
  if (archived.some(other => other.key.n !== key.n)) return { outcome: fail('one key for this key id and algorithm', 'different keys') };
  if (!VERIFIER_TRAITS[verifier.kind].rotatesKeys) return { key, outcome: pass(kid) };
  const around = setsAround(verifier, issuedAt);
  if (archived.some(({ seen }) => seen === around.after)) return { key, outcome: pass(kid) };
  if (!archived.some(({ seen }) => seen === around.before)) return { key, outcome: fail('a key that was published when the token was issued', `${kid} was published at another time`) };
  if (issuedAt - Date.parse(around.before) / 1000 <= KEY_SET_MAX_AGE_SECONDS) return { key, outcome: pass(kid) };
  return { key, outcome: unknown(`the keys of ${verifier.issuer} were last seen at ${around.before}, too long before the token was issued: update the trust file`) };
}

function archivedKeys({ jwks }: PinnedVerifier, { kid, algorithm }: KeyQuestion): { readonly seen: string; readonly key: VerifierJwk }[] {
  const found = [];
  for (const { seen, keys } of jwks) {
    for (const key of keys) if (key.kid === kid && key.alg === algorithm) found.push({ seen, key });
  }
  return found;
}

/** Times of the last key set seen by then, and of the first seen later; empty where there is none. RFC 3339 in one form sorts as text. */
function setsAround({ jwks }: PinnedVerifier, issuedAt: number): { readonly before: string; readonly after: string } {
  const time = timeOf(issuedAt);
  let before = '';
  let after = '';
  for (const { seen } of jwks) {
    if (seen <= time) before = seen > before ? seen : before;
    else after = after === '' || seen < after ? seen : after;
  }
  return { before, after };
}

/** A time that no date can say lies after all of them. */
function timeOf(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? '~' : date.toISOString();
}
