import { fromBase64, toBase64, toBase64Url } from '../bytes/base64url.js';
import { digestOf, digestOfJson, labelledHash, sha256Bytes } from '../bytes/digest.js';
import { jcs, jcsBytes } from '../bytes/jcs.js';
import { compareUtf8, toUtf8 } from '../bytes/text.js';
import { SIMULATOR_ISSUER } from '../attestation/issuers.js';
import { Grant, RECEIPT, REPORT_AUDIENCE, Session, sessionNonce, type Receipt, type Share } from '../objects/release.js';
import { OutputIndex, PREDICATE_TYPE, Report, RunPredicate, STATEMENT_TYPE, Statement } from '../objects/report.js';
import type { Witness } from '../objects/witness.js';
import { CODE_OBLIGATIONS, intersectObligations, obligationsOf } from '../policy/obligations.js';
import { outputCommitment } from '../report/output-commitment.js';
import { signObject } from '../signed/signed-object.js';
import { testBytes, testSigner, type VectorIdentity } from './fixtures.js';
import type { Mint } from './verifier.js';
import { IMAGE, INSTANCE, NOW, type VectorOwner, type VectorWorld } from './world.js';

/** What a run adds to the world: a session, releases, outputs and a report. */
export interface VectorRun {
  readonly recipient: VectorIdentity;
  readonly session: Session;
  readonly sessionText: string;
  readonly files: readonly SealedFile[];
  readonly index: Uint8Array;
  readonly report: Report;
}

export interface SealedFile {
  readonly subject: string;
  readonly path: string;
  readonly salt: Uint8Array;
  readonly content: Uint8Array;
  readonly sealed: Uint8Array;
}

/** Changes made before anything is signed, so that every signature holds and only the content lies. */
export interface RunLies {
  readonly session?: Partial<Session>;
  readonly receipt?: (receipt: Receipt, owner: VectorOwner) => Receipt;
  readonly predicate?: (predicate: RunPredicate) => RunPredicate;
  readonly subject?: (subject: Statement['subject']) => Statement['subject'];
  readonly token?: Partial<Mint>;
}

export const ATTEMPT = 1;

export async function createRun(world: VectorWorld): Promise<VectorRun> {
  const recipient = await world.source.identity('attempt');
  const session = await sessionOf(world, {});
  const { files, index } = await sealOutputs(world);
  const base = { recipient, session, sessionText: jcs(session), files, index };
  return { ...base, report: await createReport(world, base, {}) };
}

async function sessionOf(world: VectorWorld, lies: Partial<Session>): Promise<Session> {
  return Session.parse({
    v: 1, job: world.manifest.digest, step: 'main', attempt: ATTEMPT,
    recipient: (await world.source.identity('attempt')).recipient,
    key: (await testSigner('attempt')).thumbprint,
    challenges: [world.hospital, world.registry]
      .map(({ broker, name }) => ({ broker: broker.thumbprint, challenge: toBase64Url(testBytes(`${name} challenge`)) }))
      .sort((a, b) => (a.broker < b.broker ? -1 : 1)),
    ...lies
  });
}

export function sharesOf(world: VectorWorld, owner: VectorOwner): Share[] {
  const input: Share = { asset: owner.descriptor.digest, fileKey: toBase64Url(owner.fileKey) };
  return owner === world.hospital ? [input, { bundle: world.manifest.payload.code.bundle, fileKey: toBase64Url(world.bundleKey) }] : [input];
}

export function receiptOf(world: VectorWorld, sessionText: string, owner: VectorOwner): Receipt {
  const obligations = owner.policy.payload.allow.map(obligationsOf)[0];
  const input = Grant.parse({ asset: owner.descriptor.digest, policy: owner.policy.digest, obligations });
  const code = Grant.parse({ bundle: world.manifest.payload.code.bundle, obligations: CODE_OBLIGATIONS });
  return {
    v: 1, job: world.manifest.digest, attempt: ATTEMPT, session: sessionNonce(sessionText), instance: INSTANCE, time: '2026-06-01T12:00:02.000Z',
    ledger: digestOfJson(`${owner.name} entry`), sharesDigest: digestOfJson(sharesOf(world, owner)), grants: owner === world.hospital ? [input, code] : [input]
  };
}

/** A broker's witness of a report's statement. */
export function witnessOf(world: VectorWorld, { report, sessionText }: Pick<VectorRun, 'report' | 'sessionText'>): Witness {
  return {
    v: 1, job: world.manifest.digest, attempt: ATTEMPT, session: sessionNonce(sessionText), statement: digestOf(fromBase64(report.statement)), time: '2026-06-01T12:00:31.000Z'
  };
}

/** The report of a run, true but for the lies asked for. */
export async function createReport(world: VectorWorld, run: Omit<VectorRun, 'report'>, lies: RunLies): Promise<Report> {
  const sessionText = lies.session === undefined ? run.sessionText : jcs(await sessionOf(world, lies.session));
  const owners = [world.hospital, world.registry];
  const receipts = await Promise.all(
    owners.map(async owner => {
      const receipt = receiptOf(world, sessionText, owner);
      return signObject(RECEIPT, lies.receipt?.(receipt, owner) ?? receipt, owner.broker);
    })
  );
  const predicate = predicateOf(world, { sessionText, files: run.files, receipts: receipts.map(receipt => receipt.digest).sort(compareUtf8) });
  const subject = run.files.map(file => ({ name: file.subject, digest: { sha256: digestOf(file.sealed).slice('sha256:'.length) } }));
  const bytes = jcsBytes(
    Statement.parse({ _type: STATEMENT_TYPE, subject: lies.subject?.(subject) ?? subject, predicateType: PREDICATE_TYPE, predicate: lies.predicate?.(predicate) ?? predicate })
  );
  const token = await world.verifier.mint({
    issuer: SIMULATOR_ISSUER, hardware: 'SIMULATED', audience: REPORT_AUDIENCE, nonces: [labelledHash('cloister/report/v1', bytes)], image: IMAGE, instance: INSTANCE,
    issuedAt: new Date(NOW.getTime() + 30_000), kind: 'pki', ...lies.token
  });
  return Report.parse({
    v: 1, statement: toBase64(bytes), tokens: [token], session: sessionText, manifest: world.manifest.jws, descriptors: owners.map(owner => owner.descriptor.jws),
    receipts: receipts.map(receipt => receipt.jws), witnesses: []
  });
}

interface PredicateParts {
  readonly sessionText: string;
  readonly files: readonly SealedFile[];
  readonly receipts: RunPredicate['receipts'];
}

function predicateOf(world: VectorWorld, { sessionText, files, receipts }: PredicateParts): RunPredicate {
  const { payload } = world.manifest;
  const { digest, bundle, environment, parameters } = payload.code;
  const owners = [world.hospital, world.registry];
  const obligations = intersectObligations(owners.flatMap(owner => owner.policy.payload.allow.map(obligationsOf)));
  return RunPredicate.parse({
    v: 1, job: world.manifest.digest, step: 'main', attempt: ATTEMPT, session: sessionNonce(sessionText), outcome: { status: 'succeeded' },
    code: { digest, bundle, environment, parameters },
    inputs: payload.inputs.map((input, at) => ({ ...input, policy: owners[at]?.policy.digest, broker: owners[at]?.broker.thumbprint })),
    image: IMAGE,
    receipts,
    sandbox: { form: 'fresh-proc', probes: [{ probe: 'tee-socket', sandbox: 'kernel', blocked: true }] },
    limits: { timeoutSeconds: 120, maxOutputBytes: obligations.maxOutputBytes },
    obligations,
    recipients: payload.outputs.recipients,
    outputs: files.map(file => ({ name: file.subject, commitment: outputCommitment(file.salt, sha256Bytes(file.content)) })),
    cells: { done: 2, total: 2 },
    timing: { started: '2026-06-01T12:00:05.000Z', ended: '2026-06-01T12:00:25.000Z' }
  });
}

async function sealOutputs(world: VectorWorld): Promise<{ files: SealedFile[]; index: Uint8Array }> {
  const contents: Readonly<Record<string, string>> = { 'notebook.ipynb': '{"cells":[],"metadata":{},"nbformat":4,"nbformat_minor":5}', 'outputs/metrics.json': '{"auc":0.99}' };
  const entries = Object.entries(contents).map(([path, text], at) => ({ path, content: toUtf8(text), subject: `output/${at}`, salt: testBytes(`salt of ${path}`) }));
  const salt = testBytes('salt of the index');
  const index = jcsBytes(
    OutputIndex.parse({
      v: 1, job: world.manifest.digest, attempt: ATTEMPT, salt: toBase64Url(salt),
      outputs: entries.map(({ subject, path, content, salt: own }) => ({
        subject, path, kind: path.endsWith('.ipynb') ? 'notebook' : 'file', mediaType: 'application/json', size: content.length, salt: toBase64Url(own)
      }))
    })
  );
  const files: SealedFile[] = [];
  for (const entry of [...entries, { path: 'index', content: index, subject: 'index', salt }]) {
    files.push({ ...entry, sealed: await world.source.seal(entry.subject, entry.content, [world.analystIdentity.recipient]) });
  }
  return { files, index };
}
