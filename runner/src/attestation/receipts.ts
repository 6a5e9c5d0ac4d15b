import {
  AppError,
  Obligations,
  RECEIPT,
  Receipt,
  Release,
  defineSignedKind,
  digestOfJson,
  fromBase64Url,
  parseJcs,
  verifyObject,
  type CompactJws,
  type Digest,
  type Grant,
  type Share,
  type Verified
} from '@cloister/protocol';
import * as z from 'zod/mini';
import type { NamedBroker } from './brokers.js';

/** What a receipt must say, all of it known before it is read. */
export interface ReceiptExpectation {
  readonly broker: NamedBroker;
  readonly job: Digest;
  readonly attempt: number;
  /** Nonce of the runner's own session. */
  readonly session: string;
  readonly instance: string;
  readonly bundle: Digest;
}

export interface VerifiedRelease {
  readonly broker: NamedBroker;
  readonly receipt: CompactJws;
  readonly grants: readonly Grant[];
  /** File keys by asset, or by the sealed bundle. */
  readonly fileKeys: ReadonlyMap<Digest, Uint8Array>;
}

/**
 * Believes a release only where the broker that signed objects name says, signed, that it gave these very shares to this
 * very session. Anybody can seal to the runner's recipient; without this the operator could feed it data of its own making.
 * @throws AppError receipt_rejected | obligation_unknown
 */
export async function verifyRelease(plaintext: Uint8Array, expect: ReceiptExpectation): Promise<VerifiedRelease> {
  const { shares, receipt: jws } = parseRelease(plaintext);
  const receipt = await verifyReceipt(jws, expect.broker);
  requireThisSession(receipt.payload, expect);
  if (receipt.payload.sharesDigest !== digestOfJson(shares)) throw rejected('the receipt is for other keys');
  const wanted = [...expect.broker.assets, ...(expect.broker.keepsCode ? [expect.bundle] : [])].sort();
  requireExactly(wanted, receipt.payload.grants.map(subjectOf), 'grants');
  requireExactly(wanted, shares.map(subjectOf), 'keys');
  return {
    broker: expect.broker,
    receipt: receipt.jws,
    grants: receipt.payload.grants,
    fileKeys: new Map(shares.map(share => [subjectOf(share), fromBase64Url(share.fileKey)]))
  };
}

function parseRelease(plaintext: Uint8Array): Release {
  try {
    return Release.parse(parseJcs(plaintext));
  } catch (cause) {
    throw rejected('what the broker sealed is not a release', cause);
  }
}

const SIGNED_RECEIPT = defineSignedKind(RECEIPT.kind, z.looseObject({ grants: z.array(z.looseObject({ obligations: z.json() })) }));

/** The signature first, then the shape: a demand that this runner does not know must not pass as damage. */
async function verifyReceipt(jws: string, { broker }: NamedBroker): Promise<Verified<Receipt>> {
  let signed: Awaited<ReturnType<typeof verifyObject<typeof SIGNED_RECEIPT.schema>>>;
  try {
    signed = await verifyObject(SIGNED_RECEIPT, jws, broker);
  } catch (cause) {
    throw rejected('the receipt is not signed by the broker that was named beforehand', cause);
  }
  if (!signed.payload.grants.every(({ obligations }) => Obligations.safeParse(obligations).success)) {
    throw new AppError('obligation_unknown', 'a broker demands something that this runner does not know');
  }
  const receipt = Receipt.safeParse(signed.payload);
  if (!receipt.success) throw rejected('the receipt is not well formed', receipt.error);
  return { ...signed, payload: receipt.data };
}

function requireThisSession(receipt: Receipt, { job, attempt, session, instance }: ReceiptExpectation): void {
  const own = receipt.job === job && receipt.attempt === attempt && receipt.session === session && receipt.instance === instance;
  if (!own) throw rejected('the receipt is for another session, job, attempt or instance');
}

function subjectOf(item: Share | Grant): Digest {
  return 'asset' in item ? item.asset : item.bundle;
}

/** All of a job's keys at a broker, or none: a missing one would run the notebook on less than was ordered. */
function requireExactly(wanted: readonly Digest[], given: readonly Digest[], what: string): void {
  const sorted = [...given].sort();
  if (wanted.length !== sorted.length || wanted.some((subject, at) => subject !== sorted[at])) {
    throw rejected(`the ${what} of the receipt are not those of this broker’s inputs`);
  }
}

function rejected(detail: string, cause?: unknown): AppError {
  return new AppError('receipt_rejected', detail, cause === undefined ? {} : { cause });
}
