import type * as z from 'zod/mini';
import { AppError } from '../errors.js';
import { fromBase64 } from '../bytes/base64url.js';
import { digestOf, labelledHash } from '../bytes/digest.js';
import { parseJcs } from '../bytes/jcs.js';
import { DESCRIPTOR, type Descriptor } from '../objects/descriptor.js';
import { MANIFEST, type Manifest } from '../objects/manifest.js';
import { POLICY, type Policy } from '../objects/policy.js';
import type { Bytes32, Digest } from '../objects/primitives.js';
import { RECEIPT, parseSession, sessionNonce, type Receipt, type Session } from '../objects/release.js';
import { Report, Statement } from '../objects/report.js';
import { WITNESS, type Witness } from '../objects/witness.js';
import type { SignedKind } from '../signed/signed-kind.js';
import { ANY_SIGNER, verifyObject, type Verified } from '../signed/signed-object.js';

/** A report taken apart: every part parsed, every signature checked against the key that its context names. */
export interface ReportEvidence {
  readonly token: string;
  readonly statement: Statement;
  /** Of the statement's exact bytes: what brokers witness. */
  readonly statementDigest: Digest;
  /** Nonce that the report's token must carry. */
  readonly reportNonce: Bytes32;
  readonly session: Session;
  readonly sessionNonce: Bytes32;
  readonly manifest: Verified<Manifest>;
  readonly descriptors: readonly Verified<Descriptor>[];
  /** Each signed by a broker that a descriptor or the manifest names; others are an error. */
  readonly receipts: readonly Verified<Receipt>[];
  /** Where the report carries them: each signed by the owner of the asset that it is about. */
  readonly policies: readonly Verified<Policy>[];
  /** Each signed by a broker that a descriptor or the manifest names; others are an error. */
  readonly witnesses: readonly Verified<Witness>[];
}

/** @throws AppError invalid_object | not_canonical | signature_invalid | wrong_signer */
export async function readReport(input: unknown): Promise<ReportEvidence> {
  const report = parseReport(input);
  const statementBytes = fromBase64(report.statement);
  const manifest = await verifyObject(MANIFEST, report.manifest, payload => payload.analyst);
  const descriptors = await Promise.all(report.descriptors.map(jws => verifyObject(DESCRIPTOR, jws, payload => payload.owner)));
  const brokers = new Set<string>([
    ...descriptors.map(descriptor => descriptor.payload.custodians[0].broker),
    ...manifest.payload.code.custodians.map(custodian => custodian.broker)
  ]);
  const receipts = await Promise.all(report.receipts.map(jws => verifyByBroker(RECEIPT, jws, brokers)));
  const witnesses = await Promise.all(report.witnesses.map(jws => verifyByBroker(WITNESS, jws, brokers)));
  const policies = await Promise.all((report.policies ?? []).map(jws => verifyObject(POLICY, jws, payload => payload.asset.owner)));
  return {
    policies,
    witnesses,
    token: report.tokens[0],
    statement: parseStatement(statementBytes),
    statementDigest: digestOf(statementBytes),
    reportNonce: labelledHash('cloister/report/v1', statementBytes),
    session: parseSession(report.session),
    sessionNonce: sessionNonce(report.session),
    manifest,
    descriptors,
    receipts
  };
}

function parseReport(input: unknown): Report {
  const parsed = Report.safeParse(input);
  if (!parsed.success) throw new AppError('invalid_object', `the report is not well formed at ${placeOf(parsed.error.issues[0]?.path)}`, { cause: parsed.error });
  return parsed.data;
}

function placeOf(path: readonly PropertyKey[] | undefined): string {
  return path === undefined || path.length === 0 ? 'its top' : path.map(String).join('.');
}

function parseStatement(bytes: Uint8Array): Statement {
  const parsed = Statement.safeParse(parseJcs(bytes));
  if (!parsed.success) throw new AppError('invalid_object', `the statement is not well formed at ${placeOf(parsed.error.issues[0]?.path)}`, { cause: parsed.error });
  return parsed.data;
}

/** A receipt or a witness is by one of the brokers that the signed objects name, or it is nobody's. Verified once, then looked up. */
async function verifyByBroker<S extends z.ZodMiniType>(kind: SignedKind<S>, jws: string, brokers: ReadonlySet<string>): Promise<Verified<z.output<S>>> {
  const object = await verifyObject(kind, jws, ANY_SIGNER);
  if (!brokers.has(object.signer)) throw new AppError('wrong_signer', `a ${kind.kind} is by a broker that nobody named`);
  return object;
}
