import {
  AppError,
  DESCRIPTOR,
  MANIFEST,
  SERVER_ROUTES,
  callRoute,
  verifyObject,
  type ClientDeps,
  type CompactJws,
  type Descriptor,
  type Digest,
  type Manifest,
  type Verified
} from '@cloister/protocol';
import { withRetries, type RetryOptions } from './retry.js';

export interface OrderedInput {
  /** Name under which the notebook reads it. */
  readonly name: string;
  readonly asset: Digest;
  readonly descriptor: Descriptor;
  readonly jws: CompactJws;
}

/** What the analyst ordered, as far as signatures carry it. Nothing of it is the operator's word. */
export interface Order {
  readonly job: Digest;
  readonly attempt: number;
  readonly manifest: Manifest;
  readonly manifestJws: CompactJws;
  /** In the manifest's order. */
  readonly inputs: readonly OrderedInput[];
}

export interface AttemptName {
  readonly job: Digest;
  readonly attempt: number;
}

/**
 * Fetches manifest and descriptors and believes nothing of them but what the job's digest commits to: the digest names
 * the manifest, the manifest names its analyst and each descriptor, each descriptor names its owner and broker.
 */
export async function readOrder(server: ClientDeps, name: AttemptName, options: RetryOptions): Promise<Order> {
  const reply = await withRetries(
    () => callRoute(server, SERVER_ROUTES.getAttempt, { params: name, signal: options.signal }),
    options
  );
  const manifest = await verifyObject(MANIFEST, reply.manifest, payload => payload.analyst);
  if (manifest.digest !== name.job) throw new AppError('digest_mismatch', 'the manifest is not the one that the job is named by');
  requireInForce(manifest.payload, name.attempt, options.clock.now());
  const descriptors = await Promise.all(reply.descriptors.map(jws => verifyObject(DESCRIPTOR, jws, payload => payload.owner)));
  return {
    ...name,
    manifest: manifest.payload,
    manifestJws: manifest.jws,
    inputs: matchInputs(manifest.payload, descriptors)
  };
}

function requireInForce(manifest: Manifest, attempt: number, now: Date): void {
  if (now >= new Date(manifest.notAfter)) throw new AppError('manifest_expired', `the manifest ended at ${manifest.notAfter}`);
  if (attempt > manifest.maxAttempts) throw new AppError('attempts_exhausted', 'the manifest allows no such attempt');
  if (manifest.code.environment !== 'image') {
    throw new AppError('kernel_unavailable', 'this runner has the packages of its image and no others');
  }
}

/** Every input has its one descriptor, and there is none besides: an unasked one must not get near a key. */
function matchInputs(manifest: Manifest, descriptors: readonly Verified<Descriptor>[]): OrderedInput[] {
  if (descriptors.length !== manifest.inputs.length) throw new AppError('digest_mismatch', 'descriptors and inputs differ in number');
  return manifest.inputs.map(({ name, asset }) => {
    const descriptor = descriptors.find(candidate => candidate.digest === asset);
    if (descriptor === undefined) throw new AppError('digest_mismatch', `no descriptor is the one that ${name} names`);
    return { name, asset, descriptor: descriptor.payload, jws: descriptor.jws };
  });
}
