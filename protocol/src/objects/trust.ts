import * as z from 'zod/mini';
import { EnvName, HardwareModel, Issuer } from './policy.js';
import { Digest, ShortText, Thumbprint, Time } from './primitives.js';

/** How verifiers sign tokens: Google by RS256, Intel Trust Authority by PS384 or RS256 (RFC 7518 section 3.1). */
export const TokenAlgorithm = z.enum(['RS256', 'PS384']);
export type TokenAlgorithm = z.infer<typeof TokenAlgorithm>;

/** Public RSA signing key of a verifier. Other members of a published JWK are dropped when it is pinned. */
export const VerifierJwk = z.strictObject({
  kty: z.literal('RSA'),
  kid: z.string().check(z.maxLength(256)),
  alg: TokenAlgorithm,
  use: z.literal('sig'),
  n: z.string().check(z.regex(/^[A-Za-z0-9_-]{342,1366}$/)),
  e: z.literal('AQAB')
});
export type VerifierJwk = z.infer<typeof VerifierJwk>;

/** The keys that a verifier published, as somebody saw them at a time. Kept for as long as tokens of that time are to be checked. */
export const KeySet = z.strictObject({
  seen: Time,
  /** Where they were seen: a URL or a file. */
  source: ShortText,
  keys: z.array(VerifierJwk).check(z.maxLength(16))
});
export type KeySet = z.infer<typeof KeySet>;

/** A certificate that PKI tokens may end at. */
export const PinnedRoot = z.strictObject({
  /** SHA-256 of its DER. */
  fingerprint: Digest,
  source: ShortText
});
export type PinnedRoot = z.infer<typeof PinnedRoot>;

/** A pinned verifier: whose tokens count, and by which keys. */
export const PinnedVerifier = z.strictObject({
  issuer: Issuer,
  kind: z.enum(['google', 'intel', 'simulator']),
  /** The key archive: sets in no order, each with its time. */
  jwks: z.array(KeySet).check(z.maxLength(256)),
  roots: z.array(PinnedRoot).check(z.maxLength(16)),
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
  verifiers: z.array(PinnedVerifier).check(
    z.maxLength(16),
    z.refine(verifiers => new Set(verifiers.map(verifier => verifier.issuer)).size === verifiers.length, 'verifiers must differ')
  ),
  images: z.array(ReferenceValue).check(z.maxLength(256))
});
export type Trust = z.infer<typeof Trust>;

const anyOr = <S extends z.ZodMiniType>(item: S) => z.union([z.literal('any'), z.array(item).check(z.maxLength(256))]);
const Text = z.string().check(z.maxLength(1024));

/**
 * Appraisal policy for attestation results (RFC 9334): what a token must say. Every member is required; "any" is
 * written out, so that a forgotten one is an error and not a permission. A broker's rule, an analyst's code and a verifier's own policy all become one of these.
 */
export const AppraisalPolicy = z.strictObject({
  verifiers: z.array(Issuer),
  /** `submods.container.image_digest`. */
  images: z.array(Digest),
  /** Key ids (hex SHA-256 of the DER public key) of `image_signatures`: one of them must have signed the image. */
  imageSigners: anyOr(z.string().check(z.regex(/^[0-9a-f]{64}$/))),
  /** `hwmodel`; "any" is any confidential hardware. */
  hardware: anyOr(HardwareModel),
  debug: z.literal(false),
  /** `support_attributes` that must all be there. */
  attributes: anyOr(z.string().check(z.maxLength(64))),
  /** TCB statuses that TDX may have; "any" is any but Revoked. */
  tcb: anyOr(z.string().check(z.maxLength(64))),
  /** Confidential GPUs: "required" with `cc_mode` ON; "any": none, or one with `cc_mode` ON; "none". */
  gpu: z.enum(['required', 'any', 'none']),
  projects: anyOr(Text),
  zones: anyOr(Text),
  /** `google_service_accounts`: the token may name these and no others. */
  serviceAccounts: anyOr(Text),
  /** "image": the image's own command; else exactly this `cmd_override`. */
  command: z.union([z.literal('image'), z.array(Text)]),
  /** `args`, the whole command line, exactly. */
  args: z.union([z.literal('any'), z.array(Text)]),
  /** Names of variables that the operator may set (`env_override`). */
  envOverrides: anyOr(EnvName),
  /** Names of all variables of the container (`env`), the image's own among them. */
  env: anyOr(EnvName),
  restart: z.array(z.enum(['Never', 'OnFailure', 'Always'])),
  /** Whether the operator may monitor memory. */
  monitoring: z.union([z.literal('any'), z.literal(false)])
});
export type AppraisalPolicy = z.infer<typeof AppraisalPolicy>;
