import { AppError, MAX_KEY_SET_BYTES, VERIFIER_ADDRESSES, readKeySet, toTime, type DroppedKey, type KeySet, type PublishingVerifier, type ReadKeySet } from '@cloister/protocol';
import { getPinned, type FetchDeps } from './get-pinned.js';

export interface FetchedKeySet {
  /** As an archive takes it: with the time and the address. */
  readonly set: KeySet;
  /** Published keys that do not count, for people. */
  readonly dropped: readonly DroppedKey[];
}

const JSON_TYPE = /^application\/(?:json|jwk-set\+json)\s*(?:;|$)/i;

/**
 * The keys that a verifier publishes now, from its pinned address.
 * @throws AppError verifier_keys_unavailable (it may work later) | verifier_keys_refused
 */
export async function fetchKeySet(kind: PublishingVerifier, deps: FetchDeps): Promise<FetchedKeySet> {
  const { jwks: url } = VERIFIER_ADDRESSES[kind];
  const body = await getPinned({ url, accept: 'application/json', mediaType: JSON_TYPE, maxBytes: MAX_KEY_SET_BYTES }, deps);
  const { keys, dropped } = readPublished(kind, body);
  // An empty set would say that every key was withdrawn; a verifier does not say that, a broken server does.
  if (keys.length === 0) throw new AppError('verifier_keys_refused', `${url} holds no key that tokens could be verified by`);
  return { set: { seen: toTime(deps.clock.now()), source: url, keys: [...keys] }, dropped };
}

function readPublished(kind: PublishingVerifier, body: Uint8Array): ReadKeySet {
  const { jwks: url, algorithms } = VERIFIER_ADDRESSES[kind];
  try {
    return readKeySet(body, algorithms);
  } catch (cause) {
    throw new AppError('verifier_keys_refused', `${url} is no key set: ${cause instanceof AppError ? cause.detail : 'it cannot be read'}`, { cause });
  }
}
