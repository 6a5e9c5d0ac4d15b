import {
  PREDICATE_TYPE,
  RECEIPT,
  STATEMENT_TYPE,
  Statement,
  compareUtf8,
  jcsBytes,
  peekPayload,
  toTime,
  type Digest,
  type Grant,
  type Obligations,
  type RunPredicate
} from '@cloister/protocol';
import type { Access } from '../attestation/obtain-keys.js';
import type { VerifiedRelease } from '../attestation/receipts.js';
import type { Order } from '../order.js';
import type { CollectedRun } from '../output/collect-outputs.js';
import type { SealedIndex, SealedOutput } from '../output/seal-output.js';
import type { NotebookResult, PreparedSandbox } from '../sandbox.js';

/** Everything that a run was, from which its statement follows. */
export interface FinishedRun {
  readonly order: Order;
  readonly access: Access;
  readonly sandbox: Pick<PreparedSandbox, 'form' | 'probes'>;
  readonly timeoutSeconds: number;
  readonly result: Pick<NotebookResult, 'cells' | 'startedAt' | 'endedAt'>;
  readonly outcome: CollectedRun['outcome'];
  /** In the index's order. */
  readonly outputs: readonly SealedOutput[];
  readonly index: Pick<SealedIndex, 'digest' | 'commitment'>;
}

/** The exact bytes of the in-toto statement that the report's token is bound to. */
export function statementBytes(run: FinishedRun): Uint8Array<ArrayBuffer> {
  const statement = {
    _type: STATEMENT_TYPE,
    subject: [
      ...run.outputs.map(({ entry, digest }) => ({ name: entry.subject, digest: subjectDigest(digest) })),
      { name: 'index', digest: subjectDigest(run.index.digest) }
    ],
    predicateType: PREDICATE_TYPE,
    predicate: predicateOf(run)
  };
  return jcsBytes(Statement.parse(statement));
}

function subjectDigest(digest: Digest): { readonly sha256: string } {
  return { sha256: digest.slice('sha256:'.length) };
}

function predicateOf({ order, access, sandbox, timeoutSeconds, result, outcome, outputs, index }: FinishedRun): RunPredicate {
  const { digest, bundle, environment, parameters } = order.manifest.code;
  const { obligations } = access;
  return {
    v: 1,
    job: order.job,
    step: 'main',
    attempt: order.attempt,
    session: access.session.nonce,
    outcome,
    code: { digest, bundle, environment, parameters },
    inputs: inputsOf(order, access.releases),
    image: access.image,
    receipts: access.releases.map(release => peekPayload(RECEIPT, release.receipt).digest).sort(compareUtf8),
    sandbox: { form: sandbox.form, probes: sandbox.probes.map(({ probe, sandbox: place }) => ({ probe, sandbox: place, blocked: true })) },
    limits: limitsOf(timeoutSeconds, obligations),
    obligations,
    recipients: order.manifest.outputs.recipients,
    outputs: [...outputs.map(({ entry, commitment }) => ({ name: entry.subject, commitment })), { name: 'index', commitment: index.commitment }],
    cells: result.cells,
    timing: { started: toTime(result.startedAt), ended: toTime(result.endedAt) }
  };
}

function limitsOf(timeoutSeconds: number, { maxOutputBytes }: Obligations): RunPredicate['limits'] {
  return { timeoutSeconds, maxOutputBytes };
}

/** Each input with the policy under which its broker released it; the receipts in the report say the same, signed. */
function inputsOf(order: Order, releases: readonly VerifiedRelease[]): RunPredicate['inputs'] {
  return releases
    .flatMap(({ broker, grants }) => grants.flatMap(grant => granted(order, grant).map(input => ({ ...input, broker: broker.broker }))))
    .sort((a, b) => placeOf(order, a.asset) - placeOf(order, b.asset));
}

function granted(order: Order, grant: Grant): { name: string; asset: Digest; policy: Digest }[] {
  if (!('asset' in grant)) return [];
  const { asset, policy } = grant;
  return order.inputs.filter(input => input.asset === asset).map(({ name }) => ({ name, asset, policy }));
}

function placeOf(order: Order, asset: Digest): number {
  return order.inputs.findIndex(input => input.asset === asset);
}
