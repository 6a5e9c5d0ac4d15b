import {
  PREDICATE_TYPE,
  REPORT_AUDIENCE,
  Report,
  RunPredicate,
  STATEMENT_TYPE,
  Statement,
  digestOf,
  intersectObligations,
  jcsBytes,
  labelledHash,
  peekPayload,
  DESCRIPTOR,
  toBase64,
  toBase64Url,
  toTime,
  toUtf8,
  type Manifest,
  type Receipt,
  type Verified
} from '@cloister/protocol';
import type { MintOptions } from '@cloister/protocol/testing';
import { sealedAsset } from '../owner/index.js';
import { attest, challenge, makeRunner, openRelease, release, type BrokerWorld, type RunnerKeys } from './broker-world.js';

/** A run that got its keys from the world's broker and only has to be reported. */
export interface ReleasedRun {
  readonly manifest: Verified<Manifest>;
  readonly runner: RunnerKeys;
  readonly session: string;
  readonly receipt: Verified<Receipt>;
}

export async function releasedRun(world: BrokerWorld, manifest: Verified<Manifest>, attempt = 1, runner?: RunnerKeys): Promise<ReleasedRun> {
  const keys = runner ?? (await makeRunner());
  const body = await attest(world, manifest, { runner: keys, attempt, challenge: await challenge(world, manifest, attempt) });
  const { verified } = await openRelease(world, await release(world, body), keys);
  return { manifest, runner: keys, session: body.session, receipt: verified };
}

export interface ReportChanges {
  readonly predicate?: (predicate: RunPredicate) => RunPredicate;
  readonly token?: Partial<MintOptions>;
  /** Names the content, so that two reports of one run differ. */
  readonly content?: string;
}

/** The report of a released run, attested as a runner would. */
export async function reportOf(world: BrokerWorld, run: ReleasedRun, { predicate = same, token, content = 'x' }: ReportChanges = {}): Promise<Report> {
  const index = digestOf(toUtf8(content));
  const statement = Statement.parse({
    _type: STATEMENT_TYPE,
    subject: [{ name: 'index', digest: { sha256: index.slice('sha256:'.length) } }],
    predicateType: PREDICATE_TYPE,
    predicate: predicate(predicateOf(world, run))
  });
  const bytes = jcsBytes(statement);
  const minted = await world.verifier.mint({
    audience: REPORT_AUDIENCE, nonces: [labelledHash('cloister/report/v1', bytes)], image: world.image, instance: 'cloister-1', issuedAt: world.clock.now(), ...token
  });
  const descriptor = await sealedAsset(world.owner.dir, 'table');
  const wanted = run.manifest.payload.inputs.some(input => input.asset === peekPayload(DESCRIPTOR, descriptor.descriptor).digest);
  return Report.parse({
    v: 1, statement: toBase64(bytes), tokens: [minted], session: run.session, manifest: run.manifest.jws,
    descriptors: wanted ? [descriptor.descriptor] : [], receipts: [run.receipt.jws], witnesses: []
  });
}

const same = <T>(value: T): T => value;

function predicateOf(world: BrokerWorld, { manifest, receipt }: ReleasedRun): RunPredicate {
  const { digest, bundle, environment, parameters } = manifest.payload.code;
  const { job, attempt, session, grants } = receipt.payload;
  const obligations = intersectObligations(grants.map(grant => grant.obligations));
  const policies = new Map(grants.flatMap(grant => ('asset' in grant ? [[grant.asset, grant.policy] as const] : [])));
  const now = toTime(world.clock.now());
  return RunPredicate.parse({
    v: 1, job, step: 'main', attempt, session, outcome: { status: 'succeeded' },
    code: { digest, bundle, environment, parameters },
    inputs: manifest.payload.inputs.map(input => ({ ...input, policy: policies.get(input.asset), broker: receipt.signer })),
    image: world.image,
    receipts: [receipt.digest],
    sandbox: { form: 'fresh-proc', probes: [] },
    limits: { timeoutSeconds: 120, maxOutputBytes: obligations.maxOutputBytes },
    obligations,
    recipients: manifest.payload.outputs.recipients,
    outputs: [{ name: 'index', commitment: toBase64Url(new Uint8Array(32)) }],
    cells: { done: 1, total: 1 },
    timing: { started: now, ended: now }
  });
}
