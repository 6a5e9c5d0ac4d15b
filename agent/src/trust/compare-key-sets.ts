import type { KeySet, PinnedVerifier, VerifierJwk } from '@cloister/protocol';

/** What a published key set changes. Keys are compared by id, algorithm and value. */
export interface KeyChanges {
  readonly added: readonly VerifierJwk[];
  /** In the last set that was seen, and not published now. They stay in the archive, for tokens of their time. */
  readonly gone: readonly VerifierJwk[];
  readonly unchanged: readonly VerifierJwk[];
  /** Keys that carry an id and algorithm which another key of the archive carried: somebody must look. */
  readonly reused: readonly VerifierJwk[];
}

export function compareKeySets({ jwks }: Pick<PinnedVerifier, 'jwks'>, keys: readonly VerifierJwk[]): KeyChanges {
  const last = jwks.reduce<KeySet | undefined>((newest, set) => (newest === undefined || set.seen > newest.seen ? set : newest), undefined)?.keys ?? [];
  const archived = jwks.flatMap(set => set.keys);
  return {
    added: keys.filter(key => !last.some(other => isSame(other, key))),
    gone: last.filter(key => !keys.some(other => isSame(other, key))),
    unchanged: keys.filter(key => last.some(other => isSame(other, key))),
    reused: keys.filter(key => archived.some(other => other.kid === key.kid && other.alg === key.alg && other.n !== key.n))
  };
}

const isSame = (a: VerifierJwk, b: VerifierJwk): boolean => a.kid === b.kid && a.alg === b.alg && a.n === b.n;
