import { AppError, type AppraisalPolicy, type Manifest, type Verified } from '@cloister/protocol';
import { findAsset, type Catalog, type CatalogAsset } from '../catalog/catalog.js';
import { packageNotebook, type Package } from '../package/package-notebook.js';
import type { Services } from '../services.js';
import { approversOf, askBrokers, type BrokerDecision } from './ask-brokers.js';
import { approvingCustodians, chooseCustodians, type Custodian } from './custodians.js';
import { sealBundle, type RunTerms, type SealedBundle } from './seal-bundle.js';
import { requirementsOf, signManifest } from './sign-manifest.js';

export const DEFAULT_TIMEOUT_SECONDS = 3600;

export interface DraftRequest {
  readonly notebook: string;
  /** Assets listed by hand. */
  readonly assets?: readonly string[];
  /** Owners whose brokers shall keep the key of the code. */
  readonly custodians?: readonly string[];
  readonly timeoutSeconds?: number;
  readonly purpose?: string;
}

/** A job ready to be sent: packaged, signed, sealed and asked about. Nothing but the manifest has left the machine. */
export interface Draft {
  readonly made: Package;
  readonly terms: RunTerms;
  readonly inputs: readonly CatalogAsset[];
  readonly bundle: SealedBundle;
  readonly manifest: Verified<Manifest>;
  readonly custodians: readonly Custodian[];
  readonly decisions: readonly BrokerDecision[];
}

/** What was packaged, before any broker is asked: enough to show a person what would be sent. */
export interface Plan {
  readonly made: Package;
  readonly terms: RunTerms;
  readonly inputs: readonly CatalogAsset[];
  readonly catalog: Catalog;
  /** As the analyst named them. */
  readonly custodians: readonly string[];
}

/** Packages and finds the inputs. Reads the disk, then the catalog, and sends nothing. */
export async function planJob(request: DraftRequest, readCatalog: () => Promise<Catalog>): Promise<Plan> {
  const made = await packageNotebook(request.assets === undefined ? request : { notebook: request.notebook, assets: request.assets });
  const timeoutSeconds = request.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS;
  if (!Number.isInteger(timeoutSeconds) || timeoutSeconds < 1 || timeoutSeconds > 7 * 24 * 3600) {
    throw new AppError('usage', 'the time limit is not a whole number of seconds between one second and seven days');
  }
  const purpose = request.purpose ?? '';
  if (purpose.length > 4096) throw new AppError('usage', 'the purpose is longer than 4096 characters');
  const catalog = await readCatalog();
  const inputs = made.assets.map(name => findAsset(catalog, name));
  return { made, terms: { purpose, timeoutSeconds }, inputs, catalog, custodians: request.custodians ?? [] };
}

/**
 * Seals, signs, and asks the brokers. Where an owner approves code one by one and the analyst named nobody else, those
 * owners' brokers become the custodians, so the manifest is signed anew and asked about again.
 * A denial is part of the draft, for a person to read; what was denied cannot be submitted.
 * @throws AppError no_custodian | trust_missing
 */
export async function draftJob(services: Services, plan: Plan, policy: AppraisalPolicy | undefined): Promise<Draft> {
  const runner = requirementsOf(policy);
  const first = chooseCustodians(plan.inputs, plan.catalog, plan.custodians);
  const bundle = await sealBundle(plan.made, plan.terms, services.keys.recipient);
  const attempt = async (custodians: readonly Custodian[]): Promise<Draft> => {
    const manifest = await signManifest(services, { bundle, inputs: plan.inputs, custodians, runner });
    const decisions = await askBrokers(services, manifest.jws, { inputs: plan.inputs, custodians });
    return { made: plan.made, terms: plan.terms, inputs: plan.inputs, bundle, manifest, custodians, decisions };
  };
  const draft = await attempt(first);
  const approvers = plan.custodians.length > 0 ? [] : approvingCustodians(plan.inputs, approversOf(draft.decisions));
  return sameBrokers(approvers, first) || approvers.length === 0 ? draft : attempt(approvers);
}

function sameBrokers(a: readonly Custodian[], b: readonly Custodian[]): boolean {
  return a.map(custodian => custodian.broker).sort().join() === b.map(custodian => custodian.broker).sort().join();
}
