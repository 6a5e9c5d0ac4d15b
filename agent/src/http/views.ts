import type { AgeRecipient, AppraisalPolicy, Check, DraftView, JobView, RouteReply, Thumbprint, Trust } from '@cloister/protocol';
import { AGENT_ROUTES } from '@cloister/protocol';
import type { CatalogAsset } from '../catalog/catalog.js';
import type { BrokerDecision } from '../job/ask-brokers.js';
import type { Draft } from '../job/draft-job.js';
import type { JobRecord } from '../job/job-folder.js';

type Reply<K extends keyof typeof AGENT_ROUTES> = RouteReply<(typeof AGENT_ROUTES)[K]>;

export function viewOfAgent(agent: { analyst: Thumbprint; recipient: AgeRecipient; serverUrl: string }, trust: Trust, policy: AppraisalPolicy | undefined): Reply<'describeAgent'> {
  return {
    analyst: agent.analyst,
    recipient: agent.recipient,
    server: agent.serverUrl,
    owners: trust.owners,
    verifiers: trust.verifiers.map(({ issuer, kind }) => ({ issuer, kind })),
    images: trust.images,
    hasPolicy: policy !== undefined
  };
}

export function viewOfAsset({ name, owner, asset, descriptor }: CatalogAsset): Reply<'listCatalog'>['assets'][number] {
  const { version, kind, mediaType, size, mock, custodians } = descriptor;
  return { name, owner, asset, version, kind, mediaType, size, hasMock: mock !== undefined, broker: custodians[0].url };
}

export function viewOfDraft(draft: Draft): DraftView {
  const { made, manifest, bundle } = draft;
  return {
    job: manifest.digest,
    code: made.code,
    entry: made.entry,
    files: made.files.map(({ path, size, digest, why, large }) => ({ path, size, digest, why, large })),
    leftOut: made.leftOut.map(item => ({ ...item })),
    secrets: made.secrets.map(secret => ({ ...secret })),
    sealedSize: bundle.bytes.length,
    assets: draft.inputs.map(viewOfAsset),
    custodians: draft.custodians.map(({ owner, broker, url }) => ({ owner, broker, url })),
    decisions: draft.decisions.map(viewOfDecision)
  };
}

function viewOfDecision(decision: BrokerDecision): DraftView['decisions'][number] {
  return {
    ...decision,
    reasons: [...decision.reasons],
    assets: decision.assets.map(({ name, decision: word, rule, version, denials, reasons }) => ({
      name,
      decision: word,
      ...(rule === undefined ? {} : { rule }),
      ...(version === undefined ? {} : { version }),
      denials: [...denials],
      reasons: [...reasons]
    }))
  };
}

export function viewOfOwnJob(view: JobView, record: JobRecord | undefined, name: (path: string) => string): Reply<'getOwnJob'> {
  if (record === undefined) return { view };
  const { notebook, purpose, results } = record;
  return { view, notebook: name(notebook), purpose, ...(results === undefined ? {} : { results: name(results) }) };
}

export function viewOfCheck({ id, title, status, expected, actual, hint }: Check): Reply<'verifyLocalReport'>['checks'][number] {
  return {
    id,
    title,
    status,
    ...(expected === undefined ? {} : { expected }),
    ...(actual === undefined ? {} : { actual }),
    ...(hint === undefined ? {} : { hint })
  };
}
