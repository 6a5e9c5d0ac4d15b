import type { ReportEvidence, Trust } from '@cloister/protocol';
import type { IInputView, IRunView, IWitnessView } from './report-view';

/** What a report says of its run. Owners are named by the reader's own trust alone. */
export function describeRun(evidence: ReportEvidence, trust: Trust): IRunView {
  const { predicate, subject } = evidence.statement;
  const { outcome, code, timing, obligations } = predicate;
  return {
    job: evidence.manifest.digest,
    attempt: predicate.attempt,
    outcome: outcome.status,
    ...(outcome.status === 'failed' ? { failure: outcome.code } : {}),
    cells: predicate.cells,
    code: code.digest,
    environment: code.environment,
    image: predicate.image,
    analyst: evidence.manifest.payload.analyst,
    started: timing.started,
    ended: timing.ended,
    notAfter: evidence.manifest.payload.notAfter,
    ...(obligations.expires === 'any' ? {} : { allowedUntil: obligations.expires }),
    inputs: describeInputs(evidence, trust),
    outputs: subject.map(({ name, digest }) => ({ name, digest: `sha256:${digest.sha256}` })),
    brokers: evidence.session.challenges.length,
    witnesses: describeWitnesses(evidence, trust)
  };
}

function describeWitnesses({ witnesses, descriptors }: ReportEvidence, trust: Trust): IWitnessView[] {
  return witnesses.map(({ signer, payload }) => {
    const served = new Set(descriptors.filter(descriptor => descriptor.payload.custodians[0].broker === signer).map(descriptor => descriptor.payload.owner));
    return { broker: signer, owners: trust.owners.filter(({ thumbprint }) => served.has(thumbprint)).map(({ name }) => name), time: payload.time };
  });
}

function describeInputs(evidence: ReportEvidence, trust: Trust): IInputView[] {
  const pinned = new Map<string, string>(trust.owners.map(owner => [owner.thumbprint, owner.name]));
  // A statement may list ten thousand inputs; descriptors are few, and each is signed.
  const stated = new Map(evidence.statement.predicate.inputs.map(input => [input.asset, input]));
  return evidence.descriptors.map(({ digest, payload }) => {
    const pinnedAs = pinned.get(payload.owner);
    const policy = stated.get(digest)?.policy;
    const carried = evidence.policies.find(item => item.digest === policy && item.signer === payload.owner);
    const { broker } = payload.custodians[0];
    const receipt = evidence.receipts.find(item => item.signer === broker && item.payload.grants.some(grant => 'asset' in grant && grant.asset === digest));
    return {
      asset: payload.name,
      owner: { key: payload.owner, ...(pinnedAs === undefined ? {} : { pinnedAs }) },
      digest,
      version: payload.version,
      kind: payload.kind,
      mediaType: payload.mediaType,
      size: payload.size,
      broker,
      ...(policy === undefined ? {} : { policy }),
      ...(carried === undefined ? {} : { rules: JSON.stringify(carried.payload.allow, null, 2) }),
      ...(receipt === undefined ? {} : { released: receipt.payload.time })
    };
  });
}
