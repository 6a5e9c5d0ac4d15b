import * as z from 'zod/mini';
import { AppError } from '../../errors.js';
import { digestOfJson } from '../../bytes/digest.js';
import { BROKER } from '../../objects/broker.js';
import { DESCRIPTOR } from '../../objects/descriptor.js';
import { APPROVAL, MANIFEST, Manifest, WrappedCode } from '../../objects/manifest.js';
import { Obligations, POLICY, Policy, Rule } from '../../objects/policy.js';
import { Count, Digest, Thumbprint } from '../../objects/primitives.js';
import { DENIAL, LEDGER_HEAD, LedgerEntry, PROOF, RECEIPT, Release, Session, parseSession, sessionNonce } from '../../objects/release.js';
import { OutputIndex, Report, Statement } from '../../objects/report.js';
import { Trust } from '../../objects/trust.js';
import { WITNESS } from '../../objects/witness.js';
import { decidePolicy } from '../../policy/decide-policy.js';
import { intersectObligations } from '../../policy/obligations.js';
import { PrivateJwk, PublicJwk, signerOf, thumbprintOf } from '../../signed/keys.js';
import { verifyProof } from '../../signed/proof.js';
import type { SignedKind } from '../../signed/signed-kind.js';
import { signObject, verifyObject } from '../../signed/signed-object.js';
import { toJson } from '../format.js';
import { defineOperation, type Operation } from './operation.js';

export const SIGNED_KINDS: Readonly<Record<string, SignedKind<z.ZodMiniType>>> = {
  descriptor: DESCRIPTOR,
  policy: POLICY,
  manifest: MANIFEST,
  approval: APPROVAL,
  receipt: RECEIPT,
  witness: WITNESS,
  denial: DENIAL,
  proof: PROOF,
  broker: BROKER,
  'ledger-head': LEDGER_HEAD
};

const UNSIGNED: Readonly<Record<string, z.ZodMiniType>> = {
  session: Session, release: Release, 'wrapped-code': WrappedCode, 'ledger-entry': LedgerEntry, statement: Statement, report: Report, index: OutputIndex, trust: Trust, rule: Rule
};

function kindOf(name: string): SignedKind<z.ZodMiniType> {
  const kind = SIGNED_KINDS[name];
  if (kind === undefined) throw new Error(`no signed kind ${name}`);
  return kind;
}

/** The signer that the context expects, or the member of the payload that names it. */
const Expected = z.union([Thumbprint, z.strictObject({ member: z.string() })]);

const readMember = (member: string) => (payload: unknown): Thumbprint =>
  Thumbprint.parse(z.looseObject({}).parse(payload)[member]);

/** Signed objects, and decisions over them. */
export const OBJECT_OPERATIONS: Readonly<Record<string, Operation>> = {
  thumbprint: defineOperation(z.strictObject({ jwk: PublicJwk }), async ({ jwk }) => ({ thumbprint: await thumbprintOf(jwk) })),
  sign: defineOperation(z.strictObject({ kind: z.string(), key: PrivateJwk, payload: z.json() }), async ({ kind, key, payload }) => {
    const { jws, digest, signer } = await signObject(kindOf(kind), payload, await signerOf(key));
    return { jws, digest, signer };
  }),
  verify: defineOperation(z.strictObject({ kind: z.string(), jws: z.string(), signer: Expected }), async ({ kind, jws, signer }) => {
    const verified = await verifyObject(kindOf(kind), jws, typeof signer === 'string' ? signer : readMember(signer.member));
    return { digest: verified.digest, signer: verified.signer };
  }),
  verifyProof: defineOperation(z.strictObject({ jws: z.string(), htm: z.string(), htu: z.string(), bodyDigest: Digest, now: z.string() }), async ({ jws, now, ...request }) => {
    const { signer, jti } = await verifyProof(jws, { ...request, now: new Date(now) });
    return { signer, jti };
  }),
  readSession: defineOperation(z.strictObject({ text: z.string() }), ({ text }) => {
    parseSession(text);
    return { nonce: sessionNonce(text) };
  }),
  /** The shape of something that is not signed by itself. */
  requireShape: defineOperation(z.strictObject({ shape: z.string(), value: z.json() }), ({ shape, value }) => {
    const parsed = UNSIGNED[shape]?.safeParse(value);
    if (parsed === undefined) throw new Error(`no shape ${shape}`);
    if (!parsed.success) throw new AppError('invalid_object', `not a ${shape}`, { cause: parsed.error });
    return {};
  }),
  /** Follows the chain from entry 1 and compares its end with the broker's signed head. */
  verifyLedger: defineOperation(z.strictObject({ entries: z.array(z.json()), head: z.string(), broker: Thumbprint }), async ({ entries, head, broker }) => {
    let end: { readonly seq: number; readonly entry: string } = { seq: 0, entry: 'none' };
    for (const value of entries) {
      const entry = LedgerEntry.parse(value);
      if (entry.seq !== end.seq + 1 || entry.previous !== end.entry) throw new AppError('ledger_broken', `entry ${entry.seq} does not follow`);
      end = { seq: entry.seq, entry: digestOfJson(entry) };
    }
    const { payload } = await verifyObject(LEDGER_HEAD, head, broker);
    if (payload.broker !== broker || payload.seq !== end.seq || payload.entry !== end.entry) throw new AppError('ledger_broken', 'the head is of another chain');
    return end;
  }),
  decidePolicy: defineOperation(
    z.strictObject({
      policy: Policy,
      manifest: Manifest,
      asset: Digest,
      policyDigest: Digest,
      now: z.string(),
      approval: z.enum(['approved', 'refused', 'none']),
      used: z.strictObject({ jobsReleased: Count, jobsReserved: Count, attempts: Count }),
      checks: z.optional(z.array(z.strictObject({ id: z.string(), status: z.enum(['pass', 'fail', 'skipped', 'unknown']) })))
    }),
    ({ policy, policyDigest, now, used, checks, ...facts }) => {
      const answers = checks?.map(check => ({ ...check, title: check.id }));
      const decision = decidePolicy(policy, { ...facts, policy: policyDigest, now: new Date(now), used: () => used, ...(answers === undefined ? {} : { attestation: () => answers }) });
      return decision.kind === 'allow'
        ? toJson({ kind: decision.kind, rule: decision.rule.id, obligations: decision.obligations })
        : { kind: decision.kind, codes: decision.denials.map(denial => denial.code) };
    }
  ),
  intersectObligations: defineOperation(z.strictObject({ all: z.array(Obligations) }), ({ all }) => toJson(intersectObligations(all)))
};
