import { TokenAlgorithm, VERIFIER_ADDRESSES, publisherOf, readToken, type KeySet, type PinnedVerifier, type PublishingVerifier, type Trust } from '@cloister/protocol';
import type { Clock } from '../clock.js';
import type { Logger } from '../logger.js';
import type { KeyStore } from './key-file.js';
import { PublishedKeys, type FetchPublished, type WantedKey } from './published-keys.js';

export interface KeySourceDeps {
  /** What is pinned. Of verifiers that publish keys, issuer and roots count, and key sets that were seen within a day. */
  readonly trust: Pick<Trust, 'verifiers'>;
  /** Left out, the network is never asked. */
  readonly fetchKeySet?: FetchPublished | undefined;
  readonly clock: Pick<Clock, 'now'>;
  readonly store: KeyStore;
  readonly logger: Logger;
}

export interface KeyHealth {
  readonly issuer: string;
  readonly usable: boolean;
  /** For people. */
  readonly detail: string;
}

export interface KeySource {
  /**
   * What to verify this token by, now: the pinned verifiers, each with the keys it publishes at this time. Looks again where the keys
   * are over ten minutes old or the token names another one, at most once in half a minute whatever comes.
   * @throws AppError verifier_keys_unavailable where the keys of the token's verifier cannot be had
   */
  readonly trustFor: (token: string) => Promise<Pick<Trust, 'verifiers'>>;
  /** What to verify older tokens by: the pinned archive and all that was seen since. */
  readonly archive: () => Pick<Trust, 'verifiers'>;
  /** One answer for each pinned verifier that publishes keys. */
  readonly check: () => Promise<readonly KeyHealth[]>;
  /** Ends what is under way. */
  readonly close: () => Promise<void>;
}

/**
 * Keeps the keys of pinned verifiers current. Only verifiers of kind google and intel, under their one issuer, are ever asked for
 * keys; a simulator's are those of the trust file. Nothing here adds a verifier, an issuer or a root.
 */
export async function createKeySource(deps: KeySourceDeps): Promise<KeySource> {
  const { verifiers } = deps.trust;
  const published = new Map<PublishingVerifier, PublishedKeys>();
  const ending = new AbortController();
  const onSeen = createSaver(published, deps);
  const kinds = new Set(verifiers.flatMap(verifier => publisherOf(verifier) ?? []));
  const kept = kinds.size === 0 ? {} : await deps.store.load();
  for (const kind of kinds) {
    const pinned = verifiers.filter(verifier => publisherOf(verifier) === kind).flatMap(verifier => verifier.jwks);
    const { fetchKeySet, clock, logger } = deps;
    published.set(kind, new PublishedKeys(kind, { pinned, seen: kept[kind] ?? [] }, { fetchKeySet, clock, logger, onSeen, signal: ending.signal }));
  }
  const withSets = (setsOf: (keys: PublishedKeys, pinned: readonly KeySet[]) => KeySet[]): Pick<Trust, 'verifiers'> => ({
    verifiers: verifiers.map(verifier => {
      const keys = keysOf(published, verifier);
      return keys === undefined ? verifier : { ...verifier, jwks: setsOf(keys, verifier.jwks) };
    })
  });
  return {
    trustFor: async token => {
      const question = questionOf(token);
      if (question !== undefined) await published.get(question.kind)?.require(question.wanted);
      return withSets(({ live }) => (live === undefined ? [] : [live]));
    },
    archive: () => withSets(({ seen }, pinned) => [...pinned, ...seen]),
    check: async () => Promise.all([...published.values()].map(async keys => ({ issuer: keys.issuer, ...(await keys.check()) }))),
    close: async () => {
      ending.abort();
      for (const keys of published.values()) await keys.settle();
    }
  };
}

function keysOf(published: ReadonlyMap<PublishingVerifier, PublishedKeys>, verifier: PinnedVerifier): PublishedKeys | undefined {
  const kind = publisherOf(verifier);
  return kind === undefined ? undefined : published.get(kind);
}

/** Writes one after the other; what cannot be written is only missed after a restart without network. */
function createSaver(published: ReadonlyMap<PublishingVerifier, PublishedKeys>, { store, logger }: KeySourceDeps): () => Promise<void> {
  let writing = Promise.resolve();
  return async () => {
    writing = writing.then(async () => {
      try {
        await store.save(Object.fromEntries([...published].map(([kind, { seen }]) => [kind, [...seen]])));
      } catch (error) {
        logger.warn({ err: error }, 'the verifiers’ keys could not be kept for the next start');
      }
    });
    await writing;
  };
}

interface KeyQuestion {
  readonly kind: PublishingVerifier;
  readonly wanted: WantedKey | undefined;
}

/** Which published key a token needs, by its own unverified word: it decides what is looked up at a pinned address, and nothing else. */
function questionOf(compact: string): KeyQuestion | undefined {
  // A token that cannot be read needs no keys: its verification says so.
  const { token } = readToken(compact);
  const kind = PUBLISHERS.find(publisher => VERIFIER_ADDRESSES[publisher].issuer === token?.claims['iss']);
  if (token === undefined || kind === undefined) return undefined;
  // Tokens with certificates need the pinned root and no published key.
  if (token.header['x5c'] !== undefined && VERIFIER_ADDRESSES[kind].root !== undefined) return undefined;
  const { kid } = token.header;
  const algorithm = TokenAlgorithm.safeParse(token.header['alg']);
  return { kind, wanted: typeof kid === 'string' && algorithm.success ? { kid, algorithm: algorithm.data } : undefined };
}

const PUBLISHERS = ['google', 'intel'] as const;
