import * as z from 'zod/mini';
import { Environment, Obligations } from './policy.js';
import { AgeRecipient, Attempt, Bytes32, CompactJws, Count, Digest, InputName, Thumbprint, Time } from './primitives.js';
import { BundlePath } from './bundle.js';
import { MediaType } from './descriptor.js';

/** Name of a sealed file of a run: `output/<n>` in the index's order, or `index`. */
export const SubjectName = z.string().check(z.regex(/^(index|output\/(0|[1-9][0-9]{0,4}))$/));

/** How the notebook ended. `code` is one of the error table, under "runs". */
export const Outcome = z.union([
  z.strictObject({ status: z.literal('succeeded') }),
  z.strictObject({ status: z.literal('failed'), code: z.string().check(z.regex(/^[a-z_]{1,64}$/)) })
]);
export type Outcome = z.infer<typeof Outcome>;

/** What the attested runner says of a run. */
export const RunPredicate = z.strictObject({
  v: z.literal(1),
  job: Digest,
  step: z.literal('main'),
  attempt: Attempt,
  session: Bytes32,
  outcome: Outcome,
  code: z.strictObject({ digest: Digest, bundle: Digest, environment: Environment, parameters: Bytes32 }),
  /** As many as a manifest may name: each is looked for among all receipts, so that more would only keep a reader busy. */
  inputs: z.array(z.strictObject({ name: InputName, asset: Digest, policy: Digest, broker: Thumbprint })).check(z.maxLength(64)),
  image: Digest,
  /** Digests of the receipts by which it got its keys, sorted: so that none can be exchanged for another of its broker's. */
  receipts: z.array(Digest).check(z.minLength(1), z.maxLength(80)),
  sandbox: z.strictObject({
    form: z.enum(['fresh-proc', 'empty-proc']),
    probes: z.array(z.strictObject({ probe: z.string().check(z.maxLength(64)), sandbox: z.enum(['driver', 'kernel']), blocked: z.literal(true) })).check(z.maxLength(128))
  }),
  limits: z.strictObject({ timeoutSeconds: Count, maxOutputBytes: z.union([z.literal('any'), Count]) }),
  obligations: Obligations,
  recipients: z.array(AgeRecipient).check(z.maxLength(8)),
  /**
   * One per subject in order, the index last: `H("cloister/output/v1", salt || SHA-256(plaintext))`, salts in the
   * index, the index's own salt in itself. So opened files, and their names, can be checked without sealed ones.
   */
  outputs: z.array(z.strictObject({ name: SubjectName, commitment: Bytes32 })).check(z.maxLength(10_000)),
  cells: z.strictObject({ done: Count, total: Count }),
  timing: z.strictObject({ started: Time, ended: Time })
});
export type RunPredicate = z.infer<typeof RunPredicate>;

/** `_type` of an in-toto Statement v1. */
export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
/** `predicateType` of RunPredicate. */
export const PREDICATE_TYPE = 'urn:cloister:run:v1';

/** in-toto Statement v1. Subjects are the *sealed* files. */
export const Statement = z.strictObject({
  _type: z.literal(STATEMENT_TYPE),
  subject: z
    .array(z.strictObject({ name: SubjectName, digest: z.strictObject({ sha256: z.string().check(z.regex(/^[0-9a-f]{64}$/)) }) }))
    .check(z.minLength(1), z.maxLength(10_001)),
  predicateType: z.literal(PREDICATE_TYPE),
  predicate: RunPredicate
});
export type Statement = z.infer<typeof Statement>;

/** `*.attestation.json`: everything that is needed to check a run, but the trust to check it with. */
export const Report = z.strictObject({
  v: z.literal(1),
  /** Padded base64 of the statement's exact RFC 8785 bytes. */
  statement: z.string().check(z.maxLength(8 << 20)),
  /** Exactly one in version 1, over `H("cloister/report/v1", statement bytes)`. */
  tokens: z.tuple([CompactJws]),
  /** Exact RFC 8785 text of the session. */
  session: z.string().check(z.maxLength(64 << 10)),
  manifest: CompactJws,
  descriptors: z.array(CompactJws).check(z.maxLength(64)),
  receipts: z.array(CompactJws).check(z.minLength(1), z.maxLength(80)),
  policies: z.optional(z.array(CompactJws).check(z.maxLength(64))),
  /** Signed objects of kind `witness`, one a broker at most. Not part of the statement: made after it. */
  witnesses: z.array(CompactJws).check(z.maxLength(80))
});
export type Report = z.infer<typeof Report>;

/** The sealed index: names of outputs, and the salts that open their commitments. */
export const OutputIndex = z.strictObject({
  v: z.literal(1),
  job: Digest,
  attempt: Attempt,
  /** The index's own salt. */
  salt: Bytes32,
  outputs: z.array(
    z.strictObject({
      subject: SubjectName,
      /** Where it goes on the analyst's machine, below the results folder. */
      path: BundlePath,
      kind: z.enum(['notebook', 'file', 'traceback']),
      mediaType: MediaType,
      size: Count,
      salt: Bytes32
    })
  ).check(
    z.refine(outputs => new Set(outputs.map(output => output.subject)).size === outputs.length, 'subjects must differ'),
    z.refine(outputs => new Set(outputs.map(output => output.path.toLowerCase())).size === outputs.length, 'paths must differ')
  )
});
export type OutputIndex = z.infer<typeof OutputIndex>;
