import { toBase64, toBase64Url } from '../bytes/base64url.js';
import { digestOf, digestOfJson, labelledHash, sha256Bytes } from '../bytes/digest.js';
import { jcs, jcsBytes } from '../bytes/jcs.js';
import { compareUtf8, randomBytes, toUtf8 } from '../bytes/text.js';
import { toTime } from '../objects/ids.js';
import type { Digest } from '../objects/primitives.js';
import { Grant, RECEIPT, REPORT_AUDIENCE, Session, sessionNonce, type Receipt } from '../objects/release.js';
import { WITNESS, type Witness } from '../objects/witness.js';
import { OutputIndex, PREDICATE_TYPE, Report, RunPredicate, STATEMENT_TYPE, Statement } from '../objects/report.js';
import { CODE_OBLIGATIONS, intersectObligations, obligationsOf } from '../policy/obligations.js';
import { outputCommitment } from '../report/output-commitment.js';
import { sealBytes } from '../sealing/age-header.js';
import { signObject } from '../signed/signed-object.js';
import type { TestVerifier } from './test-verifier.js';
import { createTestIdentity, createTestSigner, type TestWorld } from './test-world.js';

export interface TestReport {
  readonly report: Report;
  readonly statement: Statement;
  readonly session: Session;
  readonly index: Uint8Array;
  /** Sealed files by subject name. */
  readonly sealed: ReadonlyMap<string, Uint8Array>;
  /** Opened files by path. */
  readonly opened: ReadonlyMap<string, Uint8Array>;
}

export interface TestReportOptions {
  readonly outputs?: Readonly<Record<string, Uint8Array>>;
  /** Changes made before anything is signed, so that every signature holds and only the content lies. */
  readonly session?: Partial<Session>;
  readonly receipt?: (receipt: Receipt) => Receipt;
  readonly predicate?: (predicate: RunPredicate) => RunPredicate;
  readonly subject?: (subject: Statement['subject']) => Statement['subject'];
  readonly instance?: string;
  /** Brokers witness the statement unless `none`. */
  readonly witnesses?: 'none';
  readonly witness?: (witness: Witness) => Witness;
  readonly kind?: 'oidc' | 'pki';
}

const ATTEMPT = 1;

/** The report of a run that never ran: signed, sealed and attested as a runner would, for tests of verifiers. */
export async function createTestReport(world: TestWorld, verifier: TestVerifier, options: TestReportOptions = {}): Promise<TestReport> {
  const session = Session.parse({ ...(await createSession(world)), ...options.session });
  const sessionText = jcs(session);
  const receipts = await Promise.all(
    world.owners.map(async (owner, at) => signObject(RECEIPT, (options.receipt ?? same)(receiptOf(world, sessionText, at)), owner.broker))
  );
  const outputs = await sealOutputs(world, options.outputs ?? { 'notebook.ipynb': toUtf8('{}'), 'outputs/metrics.json': toUtf8('{"auc":1}') });
  const predicate = (options.predicate ?? same)(predicateOf(world, sessionText, { outputs: outputs.commitments, receipts: receipts.map(receipt => receipt.digest).sort(compareUtf8) }));
  const statement = Statement.parse({ _type: STATEMENT_TYPE, subject: (options.subject ?? same)(outputs.subject), predicateType: PREDICATE_TYPE, predicate });
  const bytes = jcsBytes(statement);
  const token = await verifier.mint({
    audience: REPORT_AUDIENCE,
    nonces: [labelledHash('cloister/report/v1', bytes)],
    image: world.image,
    instance: options.instance ?? 'job-1',
    issuedAt: new Date(world.now.getTime() + 10_000),
    ...(options.kind === undefined ? {} : { kind: options.kind })
  });
  const report = Report.parse({
    v: 1, statement: toBase64(bytes), tokens: [token], session: sessionText, manifest: world.manifest.jws,
    descriptors: world.owners.map(owner => owner.descriptor.jws), receipts: receipts.map(receipt => receipt.jws),
    witnesses: options.witnesses === 'none' ? [] : await witnessesOf(world, { sessionText, bytes }, options.witness ?? same)
  });
  return { report, statement, session, index: outputs.index, sealed: outputs.sealed, opened: outputs.opened };
}

const same = <T>(value: T): T => value;

async function witnessesOf(
  world: TestWorld,
  { sessionText, bytes }: { readonly sessionText: string; readonly bytes: Uint8Array },
  change: (witness: Witness) => Witness
): Promise<string[]> {
  const time = toTime(new Date(world.now.getTime() + 11_000));
  const honest: Witness = { v: 1, job: world.manifest.digest, attempt: ATTEMPT, session: sessionNonce(sessionText), statement: digestOf(bytes), time };
  return Promise.all(world.owners.map(async owner => (await signObject(WITNESS, change(honest), owner.broker)).jws));
}

async function createSession(world: TestWorld): Promise<Session> {
  return Session.parse({
    v: 1, job: world.manifest.digest, step: 'main', attempt: ATTEMPT,
    recipient: (await createTestIdentity()).recipient,
    key: (await createTestSigner()).thumbprint,
    challenges: world.owners
      .map(owner => ({ broker: owner.broker.thumbprint, challenge: toBase64Url(randomBytes(32)) }))
      .sort((a, b) => (a.broker < b.broker ? -1 : 1))
  });
}

function receiptOf(world: TestWorld, sessionText: string, at: number): Receipt {
  const owner = world.owners[at];
  const [rule] = owner?.policy.payload.allow ?? [];
  if (owner === undefined || rule === undefined) throw new Error('the test world has no such owner');
  const input = Grant.parse({ asset: owner.descriptor.digest, policy: owner.policy.digest, obligations: obligationsOf(rule) });
  const code = Grant.parse({ bundle: world.manifest.payload.code.bundle, obligations: CODE_OBLIGATIONS });
  return {
    v: 1, job: world.manifest.digest, attempt: ATTEMPT, session: sessionNonce(sessionText), instance: 'job-1', time: toTime(world.now),
    ledger: digestOfJson('entry'), sharesDigest: digestOfJson([]), grants: at === 0 ? [input, code] : [input]
  };
}

function predicateOf(world: TestWorld, sessionText: string, parts: Pick<RunPredicate, 'outputs' | 'receipts'>): RunPredicate {
  const { payload } = world.manifest;
  const { digest, bundle, environment, parameters } = payload.code;
  const rules = world.owners.flatMap(owner => owner.policy.payload.allow.slice(0, 1));
  const obligations = intersectObligations(rules.map(obligationsOf));
  return RunPredicate.parse({
    v: 1, job: world.manifest.digest, step: 'main', attempt: ATTEMPT, session: sessionNonce(sessionText), outcome: { status: 'succeeded' },
    code: { digest, bundle, environment, parameters },
    inputs: payload.inputs.map((input, at) => ({ ...input, policy: world.owners[at]?.policy.digest, broker: world.owners[at]?.broker.thumbprint })),
    image: world.image,
    sandbox: { form: 'fresh-proc', probes: [{ probe: 'tee-socket', sandbox: 'kernel', blocked: true }] },
    limits: { timeoutSeconds: 120, maxOutputBytes: obligations.maxOutputBytes },
    obligations,
    recipients: payload.outputs.recipients,
    ...parts,
    cells: { done: 1, total: 1 },
    timing: { started: toTime(new Date(world.now.getTime() + 1000)), ended: toTime(new Date(world.now.getTime() + 5000)) }
  });
}

interface SealedOutputs {
  readonly commitments: RunPredicate['outputs'];
  readonly subject: Statement['subject'];
  readonly index: Uint8Array;
  readonly sealed: ReadonlyMap<string, Uint8Array>;
  readonly opened: ReadonlyMap<string, Uint8Array>;
}

async function sealOutputs(world: TestWorld, files: Readonly<Record<string, Uint8Array>>): Promise<SealedOutputs> {
  const entries = Object.entries(files).map(([path, content], at) => ({ path, content, subject: `output/${at}`, salt: randomBytes(32) }));
  const salt = randomBytes(32);
  const index = jcsBytes(
    OutputIndex.parse({
      v: 1, job: world.manifest.digest, attempt: ATTEMPT, salt: toBase64Url(salt),
      outputs: entries.map(entry => ({
        subject: entry.subject, path: entry.path, kind: entry.path.endsWith('.ipynb') ? 'notebook' : 'file', mediaType: 'application/octet-stream',
        size: entry.content.length, salt: toBase64Url(entry.salt)
      }))
    })
  );
  const all = [...entries, { path: 'index', content: index, subject: 'index', salt }];
  const sealed = new Map<string, Uint8Array>();
  for (const entry of all) sealed.set(entry.subject, await sealBytes(entry.content, [world.analystIdentity.recipient]));
  const digests = [...sealed].map(([name, bytes]): { name: string; digest: Digest } => ({ name, digest: digestOf(bytes) }));
  return {
    commitments: all.map(entry => ({ name: entry.subject, commitment: outputCommitment(entry.salt, sha256Bytes(entry.content)) })),
    subject: digests.map(({ name, digest }) => ({ name, digest: { sha256: digest.slice('sha256:'.length) } })),
    index,
    sealed,
    opened: new Map(entries.map(entry => [entry.path, entry.content]))
  };
}
