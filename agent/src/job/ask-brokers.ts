import {
  AppError,
  BROKER_ROUTES,
  callRoute,
  type CheckReply,
  type CompactJws,
  type DenialReason,
  type Digest,
  type Rule
} from '@cloister/protocol';
import type { CatalogAsset } from '../catalog/catalog.js';
import { clientOf, type Services } from '../services.js';
import { custodianOf, type Custodian } from './custodians.js';
import { describeDenial } from './denials-in-words.js';

export interface AssetDecision {
  /** Name of the asset, or `code` for the notebook itself. */
  readonly name: string;
  readonly decision: 'allow' | 'deny' | 'wait';
  readonly rule: Rule | undefined;
  readonly version: number | undefined;
  readonly denials: readonly DenialReason[];
  /** The denials as sentences. */
  readonly reasons: readonly string[];
}

export interface BrokerDecision {
  readonly owner: string;
  readonly broker: string;
  readonly url: string;
  /** `unreachable` where the broker gave no answer: then nothing is known of its assets. */
  readonly decision: 'allow' | 'deny' | 'wait' | 'unreachable';
  /** What stands against the job as a whole, as sentences. */
  readonly reasons: readonly string[];
  readonly assets: readonly AssetDecision[];
}

export interface JobParties {
  readonly inputs: readonly CatalogAsset[];
  readonly custodians: readonly BrokerAddress[];
}

export type BrokerAddress = Pick<Custodian, 'owner' | 'broker' | 'url'>;

/**
 * Asks every broker of a job what its policies say, before anything else is sent. The answers help the analyst; what
 * counts is decided again, over an attested runner.
 */
export async function askBrokers(services: Services, manifest: CompactJws, parties: JobParties): Promise<BrokerDecision[]> {
  const brokers = new Map<string, BrokerAddress>();
  for (const custodian of [...parties.inputs.map(custodianOf), ...parties.custodians]) brokers.set(custodian.broker, custodian);
  return Promise.all([...brokers.values()].map(async broker => askBroker(services, manifest, { broker, inputs: parties.inputs })));
}

interface Asked {
  readonly broker: BrokerAddress;
  readonly inputs: readonly CatalogAsset[];
}

/** A broker that does not answer now is an answer too: the other brokers' are worth showing. */
async function askBroker(services: Services, manifest: CompactJws, { broker: { owner, broker, url }, inputs }: Asked): Promise<BrokerDecision> {
  try {
    const reply = await callRoute(clientOf(services, url), BROKER_ROUTES.checkManifest, { body: { manifest } });
    return { owner, broker, url, decision: reply.decision, reasons: (reply.denials ?? []).map(describeDenial), assets: decisionsOf(reply, inputs, broker) };
  } catch (error) {
    if (!(error instanceof AppError) || !error.retry) throw error;
    return { owner, broker, url, decision: 'unreachable', reasons: [`the broker at ${url} gives no answer: ${error.detail}`], assets: [] };
  }
}

/** Of an input only its own custodian can say anything; another broker's word on it would hide what the own one says. */
function decisionsOf(reply: CheckReply, inputs: readonly CatalogAsset[], broker: string): AssetDecision[] {
  const speaksFor = (asset: Digest | undefined): boolean => asset === undefined || inputs.some(input => input.asset === asset && custodianOf(input).broker === broker);
  return (reply.assets ?? []).filter(({ asset }) => speaksFor(asset)).map(({ asset, decision, rule, version, denials }) => ({
    name: nameOf(asset, inputs),
    decision,
    rule,
    version,
    denials,
    reasons: denials.map(describeDenial)
  }));
}

function nameOf(asset: Digest | undefined, inputs: readonly CatalogAsset[]): string {
  return asset === undefined ? 'code' : (inputs.find(input => input.asset === asset)?.name ?? asset);
}

/** Brokers whose owners approve code one by one: they must be able to read it. */
export function approversOf(decisions: readonly BrokerDecision[]): Set<string> {
  const approves = (asset: AssetDecision): boolean =>
    asset.rule?.code === 'approved' || asset.denials.some(denial => denial.code === 'approval_missing' || denial.code === 'approval_refused');
  return new Set(decisions.filter(decision => decision.assets.some(approves)).map(decision => decision.broker));
}

/** @throws AppError asset_denied, with every reason, where any broker would deny | unavailable where one gave no answer */
export function requireConsent(decisions: readonly BrokerDecision[]): void {
  const denied = decisions.filter(decision => decision.decision === 'deny');
  if (denied.length === 0) {
    requireAnswers(decisions);
    return;
  }
  const words = denied.flatMap(broker => {
    const assets = broker.assets.filter(asset => asset.decision === 'deny');
    const whole = broker.reasons.map(reason => `${broker.owner}: ${reason}`);
    if (assets.length === 0 && whole.length === 0) return [`${broker.owner}: the broker gives no reason`];
    return [...whole, ...assets.map(asset => `${asset.name}: ${asset.reasons.join('; ') || 'no reason given'}`)];
  });
  const denials = denied.flatMap(broker => broker.assets.flatMap(asset => asset.denials));
  throw new AppError('asset_denied', words.join('. '), { members: { denials } });
}

function requireAnswers(decisions: readonly BrokerDecision[]): void {
  const silent = decisions.filter(decision => decision.decision === 'unreachable');
  if (silent.length === 0) return;
  const words = silent.map(({ owner, reasons }) => `${owner}: ${reasons.join('; ')}`);
  throw new AppError('unavailable', words.join('. '), { hint: 'Nothing was sent. Try again, or ask the owner whether the broker runs.' });
}
