import {
  AppError,
  Digest,
  RECEIPT,
  digestOfJson,
  fromBase64Url,
  openHeader,
  sealBytes,
  sealableRelease,
  signObject,
  toBase64Url,
  toTime,
  type Share
} from '@cloister/protocol';
import { appendEntry } from '../ledger/ledger.js';
import type { Store } from '../store/tables.js';
import type { AttestedRunner } from './appraise.js';
import type { BrokerContext } from './context.js';
import { grantsOf, type JobDecision, type JobFacts } from './decide.js';
import type { ReleaseRequest } from './release-request.js';

export interface AllowedRelease {
  readonly request: ReleaseRequest;
  readonly decision: JobDecision;
  readonly facts: JobFacts;
  readonly runner: AttestedRunner;
}

/**
 * Records the release, then signs the receipt that names the record, then seals both with the keys to the session's
 * recipient: base64url of an age file. All within the caller's transaction.
 */
export async function sealRelease(store: Store, context: BrokerContext, allowed: AllowedRelease): Promise<string> {
  const { request, decision, facts, runner } = allowed;
  const { job, attempt, recipient } = request.session;
  const manifest = facts.manifest.payload;
  const shares = await sharesOf(context, allowed);
  const sharesDigest = digestOfJson(shares);
  const grants = grantsOf(decision, manifest);
  const { instance, issuer } = runner;
  const image = Digest.parse(runner.image);
  const record = { job, attempt, analyst: manifest.analyst, session: request.nonce, instance, image, issuer, sharesDigest, grants };
  const ledger = await appendEntry(store, { kind: 'release', ...record }, facts.now);
  const receipt = await signObject(
    RECEIPT,
    { v: 1, job, attempt, session: request.nonce, instance, time: toTime(facts.now), ledger, sharesDigest, grants },
    context.keys.signer
  );
  return toBase64Url(await sealed(sealableRelease({ shares, receipt: receipt.jws }), recipient));
}

/** Secret. In the order of the grants. */
async function sharesOf({ keys }: BrokerContext, { request, facts }: AllowedRelease): Promise<Share[]> {
  const shares: Share[] = [];
  for (const { descriptor } of facts.assets) {
    const [custodian] = descriptor.payload.custodians;
    const fileKey = await openHeader(fromBase64Url(custodian.wrapped), keys.dataset.identity);
    shares.push({ asset: descriptor.digest, fileKey: toBase64Url(fileKey) });
  }
  const fileKey = request.subject.code?.fileKey;
  if (facts.code !== undefined && fileKey !== undefined) shares.push({ bundle: facts.manifest.payload.code.bundle, fileKey });
  return shares;
}

async function sealed(plaintext: Uint8Array, recipient: string): Promise<Uint8Array> {
  try {
    return await sealBytes(plaintext, [recipient]);
  } catch (cause) {
    // A string of the right form need not be a point of the right order.
    throw new AppError('invalid_object', 'the recipient of the session is not a usable key', { cause });
  }
}
