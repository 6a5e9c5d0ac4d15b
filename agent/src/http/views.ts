import { AGENT_API, AGENT_ROUTES, type Check, type DraftView, type RouteReply } from '@cloister/protocol';
import type { Agent } from '../app.js';
import type { CatalogAsset } from '../catalog/catalog.js';
import type { BrokerDecision } from '../job/ask-brokers.js';
import type { Draft } from '../job/draft-job.js';
import { AGENT_VERSION } from '../version.js';

type Reply<K extends keyof typeof AGENT_ROUTES> = RouteReply<(typeof AGENT_ROUTES)[K]>;

/** @param workspace absolute path of the folder that JupyterLab shows */
export async function viewOfAgent({ analyst, recipient, serverUrl, ...agent }: Agent, workspace: string): Promise<Reply<'describeAgent'>> {
  const { owners, verifiers, images } = await agent.trust();
  return {
    api: AGENT_API,
    version: AGENT_VERSION,
    workspace,
    analyst,
    recipient,
    server: serverUrl,
    owners,
    verifiers: verifiers.map(({ issuer, kind }) => ({ issuer, kind })),
    images,
    hasPolicy: (await agent.appraisal()) !== undefined
  };
}

export function viewOfAsset({ name, owner, asset, descriptor }: CatalogAsset): Reply<'listCatalog'>['assets'][number] {
  const { version, kind, mediaType, size, mock, custodians, owner: ownerThumbprint } = descriptor;
  return { name, owner, ownerThumbprint, asset, version, kind, mediaType, size, hasMock: mock !== undefined, broker: custodians[0].url };
}

/** @param name an absolute path as requests name it */
export function viewOfDraft(draft: Draft, name: (path: string) => string): DraftView {
  const { made, terms, manifest, bundle } = draft;
  return {
    job: manifest.digest,
    code: made.code,
    notebook: name(made.notebook),
    purpose: terms.purpose,
    timeoutSeconds: terms.timeoutSeconds,
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
