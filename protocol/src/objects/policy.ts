import * as z from 'zod/mini';
import { defineSignedKind } from '../signed/signed-kind.js';
import { AssetName, Bytes32, Count, Digest, Thumbprint, Time } from './primitives.js';

const listOf = <S extends z.ZodMiniType>(item: S) => z.array(item).check(z.maxLength(256));
const anyOr = <S extends z.ZodMiniType>(item: S) => z.union([z.literal('any'), item]);

/** Issuer URL of an attestation verifier. Named one by one: "any verifier" would be no policy. */
export const Issuer = z.string().check(z.regex(/^https:\/\/[a-z0-9.-]{1,200}(\/[A-Za-z0-9._-]{1,100})*$/));
/** A value of the claim `hwmodel`, such as `GCP_INTEL_TDX`. */
export const HardwareModel = z.string().check(z.regex(/^[A-Z0-9_]{1,64}$/));
/** Name of an environment variable that the operator may set at launch. */
export const EnvName = z.string().check(z.regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/));

/** Digest of an environment lock, or "image": the packages that the runner image itself carries. */
export const Environment = z.union([z.literal('image'), Digest]);

/**
 * One way in. Every member is required and "any" is written out, so that a forgotten member is an error and not
 * a permission. An empty list allows nothing.
 */
export const Rule = z.strictObject({
  id: z.string().check(z.regex(/^[a-z0-9][a-z0-9-]{0,63}$/)),
  verifiers: listOf(Issuer),
  images: listOf(Digest),
  envOverrides: anyOr(listOf(EnvName)),
  hardware: anyOr(listOf(HardwareModel)),
  debug: z.literal(false),
  attributes: anyOr(listOf(z.string().check(z.regex(/^[A-Z_]{1,32}$/)))),
  projects: anyOr(listOf(z.string().check(z.regex(/^[a-z0-9:.-]{1,64}$/)))),
  analysts: listOf(Thumbprint),
  code: z.union([z.literal('approved'), z.literal('any'), listOf(Digest)]),
  environments: anyOr(listOf(Environment)),
  parameters: anyOr(listOf(Bytes32)),
  /** Other assets that this one may be opened together with, by descriptor digest; empty: it is opened alone. */
  inputs: anyOr(listOf(Digest)),
  /** Version 1 knows only "true"; later a CEL expression. */
  condition: z.literal('true'),
  /** Version 1 knows only "release". */
  outputs: z.literal('release'),
  reviewers: z.tuple([]),
  /** Bytes of all outputs together before sealing. */
  maxOutputBytes: anyOr(Count),
  isolation: z.literal('sandbox'),
  /** Jobs that may open the asset under this rule id, over all versions of the policy. */
  uses: anyOr(Count),
  /** Attempts of one job. */
  attempts: anyOr(Count),
  expires: anyOr(Time)
});
export type Rule = z.infer<typeof Rule>;

/** The owner's rule about one of her assets. Versions only grow; the first rule that allows decides. */
export const Policy = z.strictObject({
  v: z.literal(1),
  version: z.int().check(z.gte(1)),
  asset: z.strictObject({ owner: Thumbprint, name: AssetName }),
  allow: z.array(Rule).check(
    z.maxLength(64),
    z.refine(rules => new Set(rules.map(rule => rule.id)).size === rules.length, 'rule ids must differ')
  )
});
export type Policy = z.infer<typeof Policy>;

/** Signed by the owner of the asset. */
export const POLICY = defineSignedKind('policy', Policy);

/** What a release binds the runner to. */
export const Obligations = z.strictObject({
  outputs: z.literal('release'),
  reviewers: z.tuple([]),
  maxOutputBytes: anyOr(Count),
  isolation: z.literal('sandbox'),
  expires: anyOr(Time)
});
export type Obligations = z.infer<typeof Obligations>;
