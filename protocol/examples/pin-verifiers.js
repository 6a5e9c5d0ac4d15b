import { PinnedVerifier, readKeySet, VERIFIER_ADDRESSES, VERIFIER_TRAITS } from '@cloister/protocol/attestation';

/**
 * Google, by the keys that it publishes: for OIDC tokens.
 * @param {string} jwks the published key set, as you fetched it
 * @param {{ seen: Date, source: string }} origin when and where you saw it
 */
export const googleByKeys = (jwks, origin) => byKeys('google', jwks, origin);

/**
 * Intel Trust Authority. It publishes two keys under one id; the token's algorithm says which one counts.
 * @param {string} jwks
 * @param {{ seen: Date, source: string }} origin
 */
export const intelByKeys = (jwks, origin) => byKeys('intel', jwks, origin);

/** Google, by the fingerprint of its root certificate: for PKI tokens, which need no key set and verify for years. */
export function googleByRoot() {
  const { issuer, root, rootDescription } = VERIFIER_ADDRESSES.google;
  const source = `the library's constant; compare it with ${rootDescription}`;
  return PinnedVerifier.parse({ issuer, kind: 'google', jwks: [], roots: [{ fingerprint: root, source }], source });
}

/**
 * @param {'google' | 'intel'} kind
 * @param {string} jwks
 * @param {{ seen: Date, source: string }} origin
 */
function byKeys(kind, jwks, { seen, source }) {
  const { keys } = readKeySet(jwks, VERIFIER_TRAITS[kind].algorithms);
  const { issuer } = VERIFIER_ADDRESSES[kind];
  return PinnedVerifier.parse({ issuer, kind, jwks: [{ seen: seen.toISOString(), source, keys }], roots: [], source });
}
