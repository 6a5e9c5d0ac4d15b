import * as z from 'zod/mini';
import { defineSignedKind } from '../signed/signed-kind.js';
import { Environment, HardwareModel, Issuer } from './policy.js';
import { AgeRecipient, Attempt, Base64Url, Bytes32, Digest, FileKey, InputName, ServiceUrl, ShortText, Thumbprint, Time, UuidV7 } from './primitives.js';

/** A broker that may release the key of the code: the analyst's choice, and any one suffices. */
export const CodeCustodian = z.strictObject({
  broker: Thumbprint,
  url: ServiceUrl,
  /** age file, base64url, to the broker's bundle recipient, of JCS WrappedCode. */
  wrapped: Base64Url
});

/** What the analyst demands of the runner before her code is opened in it. */
export const RunnerRequirements = z.strictObject({
  verifiers: z.array(Issuer).check(z.minLength(1), z.maxLength(16)),
  images: z.array(Digest).check(z.minLength(1), z.maxLength(64)),
  hardware: z.union([z.literal('any'), z.array(HardwareModel).check(z.minLength(1), z.maxLength(16))]),
  debug: z.literal(false)
});
export type RunnerRequirements = z.infer<typeof RunnerRequirements>;

/** A job, as its analyst signs it. Its payload's digest is the job's name everywhere; `id` only makes it unique. */
export const Manifest = z.strictObject({
  v: z.literal(1),
  id: UuidV7,
  step: z.literal('main'),
  analyst: Thumbprint,
  notAfter: Time,
  maxAttempts: Attempt,
  inputs: z.array(z.strictObject({ name: InputName, asset: Digest })).check(
    z.maxLength(64),
    z.refine(inputs => new Set(inputs.map(input => input.name)).size === inputs.length, 'input names must differ'),
    z.refine(inputs => new Set(inputs.map(input => input.asset)).size === inputs.length, 'inputs must differ')
  ),
  code: z.strictObject({
    /** Digest of JCS CodeListing. */
    digest: Digest,
    /** Digest of the sealed bundle. */
    bundle: Digest,
    environment: Environment,
    /** Commitment to parameters and purpose. */
    parameters: Bytes32,
    custodians: z.array(CodeCustodian).check(z.minLength(1), z.maxLength(16)),
    runner: RunnerRequirements
  }),
  outputs: z.strictObject({
    recipients: z.array(AgeRecipient).check(z.minLength(1), z.maxLength(8)),
    /** Empty in version 1. */
    reviewers: z.tuple([])
  })
});
export type Manifest = z.infer<typeof Manifest>;

/** Signed by the analyst whom it names. */
export const MANIFEST = defineSignedKind('manifest', Manifest);

/** The plaintext of a code custodian's `wrapped`. */
export const WrappedCode = z.strictObject({
  v: z.literal(1),
  purpose: z.literal('cloister/code/v1'),
  analyst: Thumbprint,
  bundle: Digest,
  fileKey: FileKey
});
export type WrappedCode = z.infer<typeof WrappedCode>;

/** An owner's word on one code under one environment, parameters, inputs and analyst. */
export const Approval = z.strictObject({
  v: z.literal(1),
  code: Digest,
  environment: Environment,
  parameters: Bytes32,
  inputs: z.array(Digest).check(z.maxLength(64)),
  analyst: Thumbprint,
  notAfter: Time,
  decision: z.enum(['approved', 'refused']),
  reason: ShortText
});
export type Approval = z.infer<typeof Approval>;

/** Signed by the owner. */
export const APPROVAL = defineSignedKind('approval', Approval);
