import * as z from 'zod/mini';
import { Bytes32, Attempt, CompactJws, Count, Digest, Time } from '../objects/primitives.js';
import { Rule } from '../objects/policy.js';
import { DenialReason, LedgerEntry } from '../objects/release.js';
import { Report } from '../objects/report.js';
import { defineRoute } from './route.js';
import { Health } from './server-routes.js';

const none = { kind: 'none' } as const;
const json = <S extends z.ZodMiniType>(schema: S) => ({ kind: 'json', schema, maxBytes: 2 * 1024 * 1024 }) as const;
const reply = <S extends z.ZodMiniType>(schema: S) => ({ kind: 'json', status: 200, schema }) as const;

/**
 * A broker's word before anything is sent. `wait`: nothing is missing but an approval, or a use that another job
 * reserves and may free. Terms and reasons are told only to the manifest's analyst (by proof); others, such as the
 * server that polls, get the decision alone.
 */
export const CheckReply = z.strictObject({
  decision: z.enum(['allow', 'deny', 'wait']),
  /** Reasons that concern the job as a whole, such as a manifest that has expired. */
  denials: z.optional(z.array(DenialReason)),
  /** One per asset of this broker among the manifest's inputs, and one for the code where it is a custodian. */
  assets: z.optional(
    z.array(
      z.strictObject({
        asset: z.optional(Digest),
        bundle: z.optional(Digest),
        decision: z.enum(['allow', 'deny', 'wait']),
        policy: z.optional(Digest),
        version: z.optional(Count),
        rule: z.optional(Rule),
        denials: z.array(DenialReason)
      })
    )
  )
});
export type CheckReply = z.infer<typeof CheckReply>;

/** The broker’s face for runners, analysts, the server and its owner (docs/protocol.md, section 6). */
export const BROKER_ROUTES = {
  checkManifest: defineRoute({
    id: 'checkManifest', method: 'POST', path: '/v1/checks', auth: 'optional',
    summary: 'Would the policies allow this job? Decides as a challenge does, and reserves nothing.',
    body: json(z.strictObject({ manifest: CompactJws })), response: reply(CheckReply), errors: ['manifest_expired', 'rate_limited', 'wrong_signer']
  }),
  createChallenge: defineRoute({
    id: 'createChallenge', method: 'POST', path: '/v1/challenges', auth: 'none',
    summary: 'Decide what needs no token, reserve one use of the job, and give 32 random bytes to attest over.',
    body: json(z.strictObject({ manifest: CompactJws, attempt: Attempt })),
    response: reply(z.strictObject({ challenge: Bytes32, expiresAt: Time })),
    errors: ['released_never', 'use_reserved', 'manifest_expired', 'manifest_early', 'attempt_superseded', 'attempts_exhausted', 'rolled_back', 'rate_limited']
  }),
  createRelease: defineRoute({
    id: 'createRelease', method: 'POST', path: '/v1/releases', auth: 'none',
    summary: 'Verify the token over the session, decide again, and release all keys of the job that this broker keeps, or none.',
    body: json(z.strictObject({ session: z.string().check(z.maxLength(64 << 10)), tokens: z.tuple([CompactJws]) })),
    /** age file, base64url, of a Release. */
    response: reply(z.strictObject({ sealed: z.string() })),
    errors: ['released_never', 'attestation_rejected', 'challenge_unknown', 'session_mismatch', 'recipient_changed', 'attempt_superseded', 'uses_exhausted', 'attempts_exhausted', 'rolled_back', 'verifier_keys_unavailable']
  }),
  createWitness: defineRoute({
    id: 'createWitness', method: 'POST', path: '/v1/reports', auth: 'none',
    summary: 'Countersign the statement of an attempt that this broker released to: one for each attempt. The same statement gets the same witness again.',
    body: { kind: 'json', schema: z.strictObject({ report: Report }), maxBytes: 4 * 1024 * 1024 },
    /** A signed object of kind `witness`. */
    response: reply(z.strictObject({ witness: CompactJws })), errors: ['report_rejected', 'statement_conflict', 'rolled_back', 'rate_limited']
  }),
  putDescriptor: defineRoute({
    id: 'putDescriptor', method: 'POST', path: '/v1/descriptors', auth: 'none',
    summary: 'Keep an asset’s key: its descriptor, signed by the owner whom this broker serves.',
    body: json(z.strictObject({ descriptor: CompactJws })), response: { kind: 'json', status: 201, schema: z.strictObject({ asset: Digest }) },
    errors: ['wrong_signer', 'sealed_for_another', 'already_exists', 'invalid_object']
  }),
  putPolicy: defineRoute({
    id: 'putPolicy', method: 'POST', path: '/v1/policies', auth: 'none',
    summary: 'Put a policy in force, signed by the owner, of a higher version than the one in force.',
    body: json(z.strictObject({ policy: CompactJws })), response: { kind: 'json', status: 201, schema: z.strictObject({ policy: Digest, version: Count }) },
    errors: ['wrong_signer', 'policy_rollback', 'asset_not_here']
  }),
  putApproval: defineRoute({
    id: 'putApproval', method: 'POST', path: '/v1/approvals', auth: 'none', summary: 'Record the owner’s signed approval or refusal of a code.',
    body: json(z.strictObject({ approval: CompactJws })), response: { kind: 'json', status: 201, schema: z.strictObject({ approval: Digest }) }, errors: ['wrong_signer']
  }),
  listPolicies: defineRoute({
    id: 'listPolicies', method: 'GET', path: '/v1/policies', auth: 'owner', summary: 'The policies in force, with uses so far.', body: none,
    response: reply(z.strictObject({ policies: z.array(z.strictObject({ policy: CompactJws, uses: z.array(z.strictObject({ rule: z.string(), jobs: Count, attempts: Count })) })) })), errors: ['not_permitted']
  }),
  getLedger: defineRoute({
    id: 'getLedger', method: 'GET', path: '/v1/ledger', auth: 'owner',
    query: z.strictObject({ after: z.optional(z.union([Count, z.string().check(z.regex(/^[0-9]{1,15}$/))])) }),
    summary: 'Entries after a sequence number, at most 500, and the signed head.', body: none,
    response: reply(z.strictObject({ entries: z.array(LedgerEntry), head: z.optional(CompactJws) })), errors: ['not_permitted']
  }),
  describeBroker: defineRoute({
    id: 'describeBroker', method: 'GET', path: '/v1/broker', auth: 'none',
    summary: 'Its public keys, signed by itself. Owners compare the signer with the thumbprint of their broker and pin it; nobody else should believe this reply.', body: none,
    /** A signed object of kind `broker`. */
    response: reply(z.strictObject({ description: CompactJws })), errors: []
  }),
  health: defineRoute({ id: 'health', method: 'GET', path: '/healthz', auth: 'none', summary: 'The process answers.', body: none, response: reply(Health), errors: [] }),
  ready: defineRoute({ id: 'ready', method: 'GET', path: '/readyz', auth: 'none', summary: 'Database and keys are in order, no rollback was found, and the keys of pinned verifiers can be had.', body: none, response: reply(Health), errors: ['unavailable', 'rolled_back', 'verifier_keys_unavailable'] }),
  openapi: defineRoute({ id: 'openapi', method: 'GET', path: '/openapi.json', auth: 'none', summary: 'This table as OpenAPI 3.1.', body: none, response: reply(z.json()), errors: [] })
} as const;
