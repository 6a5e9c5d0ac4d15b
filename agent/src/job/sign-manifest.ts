import {
  AppError,
  MANIFEST,
  createId,
  signObject,
  toTime,
  type AppraisalPolicy,
  type Manifest,
  type RunnerRequirements,
  type Verified
} from '@cloister/protocol';
import type { CatalogAsset } from '../catalog/catalog.js';
import type { Services } from '../services.js';
import type { Custodian } from './custodians.js';
import { wrapCode, type SealedBundle } from './seal-bundle.js';

/** How long brokers and server may wait for an approval or a machine before the job is void. */
export const JOB_LIFETIME_MS = 7 * 24 * 3600 * 1000;
export const MAX_ATTEMPTS = 3;

export interface ManifestParts {
  readonly bundle: SealedBundle;
  readonly inputs: readonly CatalogAsset[];
  readonly custodians: readonly Custodian[];
  readonly runner: RunnerRequirements;
}

/** Signs a job. Outputs go to the analyst alone. */
export async function signManifest({ keys, clock }: Services, parts: ManifestParts): Promise<Verified<Manifest>> {
  const { bundle, inputs, custodians, runner } = parts;
  const now = clock.now();
  const wrapped = await Promise.all(
    custodians.map(async ({ broker, url, recipient }) => ({ broker, url, wrapped: await wrapCode(bundle, keys.signer.thumbprint, recipient) }))
  );
  return signObject(
    MANIFEST,
    {
      v: 1,
      id: createId(now),
      step: 'main',
      analyst: keys.signer.thumbprint,
      notAfter: toTime(new Date(now.getTime() + JOB_LIFETIME_MS)),
      maxAttempts: MAX_ATTEMPTS,
      inputs: inputs.map(({ name, asset }) => ({ name, asset })),
      code: { digest: bundle.code, bundle: bundle.digest, environment: 'image', parameters: bundle.parameters, custodians: wrapped, runner },
      outputs: { recipients: [keys.recipient], reviewers: [] }
    },
    keys.signer
  );
}

/** The same code and inputs as a new job: a new id and a new limit, everything else as it was. */
export async function signRetry({ keys, clock }: Services, manifest: Manifest): Promise<Verified<Manifest>> {
  const now = clock.now();
  return signObject(MANIFEST, { ...manifest, id: createId(now), notAfter: toTime(new Date(now.getTime() + JOB_LIFETIME_MS)) }, keys.signer);
}

/**
 * What the analyst demands of a runner before her code is opened: her own appraisal policy.
 * @throws AppError trust_missing where she has none, since any demand of ours would be a guess at whom she trusts
 */
export function requirementsOf(policy: AppraisalPolicy | undefined): RunnerRequirements {
  if (policy === undefined) throw new AppError('trust_missing', 'there is no appraisal policy, so no runner may open your code', { hint: 'Put one at appraisal.json beside your trust file.' });
  const { verifiers, images, hardware, debug } = policy;
  return { verifiers: [...verifiers], images: [...images], hardware: hardware === 'any' ? 'any' : [...hardware], debug };
}
