import * as z from 'zod/mini';
import { EnvName, HardwareModel, Issuer } from './policy.js';
import { Digest, ShortText, Thumbprint, Time } from './primitives.js';

/** Public RSA signing key of a verifier. Other members of a published JWK are dropped when it is pinned. */
export const VerifierJwk = z.strictObject({
  kty: z.literal('RSA'),
  kid: z.string().check(z.maxLength(256)),
  alg: z.literal('RS256'),
  use: z.literal('sig'),
  n: z.string().check(z.regex(/^[A-Za-z0-9_-]{342,1366}$/)),
  e: z.literal('AQAB')
});
export type VerifierJwk = z.infer<typeof VerifierJwk>;

/** A pinned verifier: whose tokens count, and by which keys. */
export const PinnedVerifier = z.strictObject({
  issuer: Issuer,
  kind: z.enum(['google', 'simulator']),
  /** Key sets seen at the issuer's pinned address, with the time of each. */
  jwks: z.array(z.strictObject({ seen: Time, keys: z.array(VerifierJwk).check(z.maxLength(16)) })).check(z.maxLength(256)),
  /** SHA-256 of the DER of each pinned PKI root. */
  roots: z.array(Digest).check(z.maxLength(16)),
  /** Where this came from, for people. */
  source: ShortText
});
export type PinnedVerifier = z.infer<typeof PinnedVerifier>;

/** An owner whose descriptors count. */
export const PinnedOwner = z.strictObject({
  thumbprint: Thumbprint,
  /** What this verifier calls the owner: the first half of input names. */
  name: z.string().check(z.regex(/^[a-z0-9][a-z0-9._-]{0,63}$/))
});
export type PinnedOwner = z.infer<typeof PinnedOwner>;

/** Runner image that this verifier itself accepts, and where the value came from. */
export const ReferenceValue = z.strictObject({ image: Digest, source: ShortText });

/**
 * `trust.json`: all that whoever verifies has decided to trust. Nothing inside a report, a catalog or a reply
 * ever adds to it.
 */
export const Trust = z.strictObject({
  v: z.literal(1),
  owners: z.array(PinnedOwner).check(
    z.maxLength(256),
    z.refine(owners => new Set(owners.map(owner => owner.name)).size === owners.length, 'owner names must differ'),
    z.refine(owners => new Set(owners.map(owner => owner.thumbprint)).size === owners.length, 'owners must differ')
  ),
  verifiers: z.array(PinnedVerifier).check(z.maxLength(16)),
  images: z.array(ReferenceValue).check(z.maxLength(256))
});
export type Trust = z.infer<typeof Trust>;

/**
 * Appraisal policy for attestation results (RFC 9334): what a token must say. Every member is required; "any" is
 * written out. A broker's rule, an analyst's code and a verifier's own policy all become one of these.
 */
export const AppraisalPolicy = z.strictObject({
  verifiers: z.array(Issuer),
  images: z.array(Digest),
  hardware: z.union([z.literal('any'), z.array(HardwareModel)]),
  debug: z.literal(false),
  attributes: z.union([z.literal('any'), z.array(z.string())]),
  projects: z.union([z.literal('any'), z.array(z.string())]),
  envOverrides: z.union([z.literal('any'), z.array(EnvName)])
});
export type AppraisalPolicy = z.infer<typeof AppraisalPolicy>;
