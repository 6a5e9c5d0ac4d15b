import type { Digest } from '../objects/primitives.js';
import { digestFromHex } from '../bytes/digest.js';
import type { TokenAlgorithm } from '../objects/trust.js';
import { GOOGLE_ISSUER, INTEL_ISSUER, VERIFIER_TRAITS } from './issuers.js';

/** Verifiers that publish their keys on the internet. A simulator does not: its keys are on this machine. */
export type PublishingVerifier = 'google' | 'intel';

/** Where a verifier publishes what its tokens are verified by. */
export interface VerifierAddress {
  readonly issuer: string;
  /** What its keys sign with. */
  readonly algorithms: readonly TokenAlgorithm[];
  /** Its JSON Web Key Set (RFC 7517 section 5). */
  readonly jwks: string;
  /** Its OpenID configuration, for people to read. Never followed: what it names is not what is pinned here. */
  readonly discovery?: string;
  /** JSON that names the address of the root certificate of PKI tokens. */
  readonly rootDescription?: string;
  /** SHA-256 of that certificate's DER. */
  readonly root?: Digest;
}

/**
 * Pinned addresses. Google: “Attestation token claims”, and the OpenID configuration of the issuer as it was on 2026-10-02;
 * the root's fingerprint is that of two independent public verifiers. Intel: “Intel Trust Authority, verify a token”.
 */
export const VERIFIER_ADDRESSES: Readonly<Record<PublishingVerifier, VerifierAddress>> = {
  google: {
    issuer: GOOGLE_ISSUER,
    algorithms: VERIFIER_TRAITS.google.algorithms,
    jwks: 'https://www.googleapis.com/service_accounts/v1/metadata/jwk/signer@confidentialspace-sign.iam.gserviceaccount.com',
    discovery: `${GOOGLE_ISSUER}/.well-known/openid-configuration`,
    rootDescription: `${GOOGLE_ISSUER}/.well-known/attestation-pki-root`,
    root: digestFromHex('148b293821bb0c6a317f413c8ba475814091cb22d49b9e3c94198db8e8f86c39')
  },
  intel: { issuer: INTEL_ISSUER, algorithms: VERIFIER_TRAITS.intel.algorithms, jwks: `${INTEL_ISSUER}/certs` }
};

/** The kind of a verifier whose keys can be fetched, by kind and exact issuer; undefined for simulators and strangers. */
export function publisherOf(verifier: { readonly kind: string; readonly issuer: string }): PublishingVerifier | undefined {
  const { kind, issuer } = verifier;
  return (kind === 'google' || kind === 'intel') && VERIFIER_ADDRESSES[kind].issuer === issuer ? kind : undefined;
}
