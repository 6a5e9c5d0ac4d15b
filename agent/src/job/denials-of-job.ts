import { ANY_SIGNER, AppError, DENIAL, verifyObject, type DenialReason, type JobView, type Thumbprint } from '@cloister/protocol';
import type { Catalog } from '../catalog/catalog.js';
import { describeDenial } from './denials-in-words.js';
import type { KeptJob } from './job-folder.js';

export interface DenialContext {
  /** What this machine kept of the job; undefined where another sent it. */
  readonly kept: KeptJob | undefined;
  /** Undefined where it cannot be read: then only the code's custodians are known. */
  readonly catalog: Catalog | undefined;
}

/**
 * Why brokers denied a job, as sentences that name who says so. The operator hands denials on, so each must be signed by
 * a broker of a pinned owner or of the job's own manifest, and be about this job.
 */
export async function denialsOfJob({ job, denials = [] }: JobView, context: DenialContext): Promise<string[]> {
  const brokers = brokersOf(context);
  const sentences: string[] = [];
  for (const jws of denials) {
    const denial = await verifyObject(DENIAL, jws, ANY_SIGNER).catch((error: unknown) => {
      if (error instanceof AppError) return undefined;
      throw error;
    });
    const owner = denial === undefined ? undefined : brokers.get(denial.signer);
    if (denial === undefined || denial.payload.job !== job || owner === undefined) sentences.push('A denial came that no broker of this job signed. It is not shown');
    else sentences.push(...denial.payload.denials.map(reason => `${subjectOf(reason, owner, context)}: ${describeDenial(reason)}`));
  }
  return [...new Set(sentences)];
}

/** Thumbprints of brokers, and what to call them. */
function brokersOf({ kept, catalog }: DenialContext): Map<Thumbprint, string> {
  const custodians = kept?.manifest.payload.code.custodians ?? [];
  const assets = catalog?.assets ?? [];
  return new Map([
    ...custodians.map(({ broker, url }): [Thumbprint, string] => [broker, url]),
    ...assets.map(({ owner, descriptor }): [Thumbprint, string] => [descriptor.custodians[0].broker, owner])
  ]);
}

function subjectOf({ asset, bundle }: DenialReason, owner: string, { kept }: DenialContext): string {
  if (bundle !== undefined) return `${owner}, about your code`;
  if (asset === undefined) return owner;
  return kept?.record.inputs.find(input => input.asset === asset)?.name ?? owner;
}
