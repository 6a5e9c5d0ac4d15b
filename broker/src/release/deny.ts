import {
  AppError,
  DENIAL,
  isErrorCode,
  jcs,
  signObject,
  toTime,
  type DenialReason,
  type Digest,
  type ErrorCode,
  type Thumbprint
} from '@cloister/protocol';
import { appendEntry } from '../ledger/ledger.js';
import type { BrokerContext } from './context.js';
import { isListed } from './gather-facts.js';
import { tellable } from './tell.js';

export interface Refusal {
  readonly job: Digest;
  readonly attempt: number | undefined;
  readonly analyst: Thumbprint;
  readonly denials: readonly DenialReason[];
  /** Where the reasons do not share one code of the error table. */
  readonly code: ErrorCode;
}

/**
 * Records a denial and gives the error that tells of it, with the reasons signed. To be called outside of any
 * transaction: what was asked for has not happened, and that it was asked for stays.
 * @throws AppError rate_limited, before anything is recorded
 */
export async function denialOf(context: BrokerContext, refusal: Refusal): Promise<AppError> {
  const now = context.now();
  await limitDenials(context, refusal.analyst, now);
  const denials = refusal.denials.slice(0, MAX_TOLD).map(bounded);
  const { job, analyst, attempt } = refusal;
  const numbered = attempt === undefined ? {} : { attempt };
  await context.store.transaction().execute(async trx => {
    await appendEntry(trx, { kind: 'denial', job, analyst, ...numbered, reasons: denials.slice(0, MAX_RECORDED) }, now);
  });
  await context.heads.settle();
  const told = tellable(denials, await isListed(context.store, context, analyst));
  const { jws } = await signObject(DENIAL, { v: 1, job, ...numbered, time: toTime(now), denials: told }, context.keys.signer);
  const code = codeOf(refusal);
  context.logger.info({ job, ...numbered, code }, 'denied');
  return new AppError(code, 'the broker releases nothing; `denials` says why', { members: { denials: jws } });
}

/** Keys cost nothing, so strangers share a bucket besides their own. @throws AppError rate_limited */
export async function limitDenials(context: BrokerContext, analyst: Thumbprint, now: Date): Promise<void> {
  const listed = await isListed(context.store, context, analyst);
  const waits = listed
    ? [context.denials.listed.take(analyst, now)]
    : [context.denials.unlisted.take(analyst, now), context.denials.strangers.take('all', now)];
  const wait = Math.max(...waits);
  if (wait > 0) throw new AppError('rate_limited', 'too many requests that were denied', { members: { retryAfterSeconds: Math.ceil(wait / 1000) } });
}

function codeOf({ denials, code }: Refusal): ErrorCode {
  const [only, ...others] = new Set(denials.map(denial => denial.code));
  return only !== undefined && others.length === 0 && isErrorCode(only) ? only : code;
}

const MAX_TOLD = 128;
const MAX_RECORDED = 32;
const MAX_VALUE_CHARS = 4096;

/** What a token said comes from its sender: it must not fill the ledger. */
function bounded(reason: DenialReason): DenialReason {
  const { expected, actual, ...rest } = reason;
  return {
    ...rest,
    ...(expected === undefined ? {} : { expected: short(expected) }),
    ...(actual === undefined ? {} : { actual: short(actual) })
  };
}

function short<T>(value: T): T | string {
  const text = jcs(value);
  return text.length <= MAX_VALUE_CHARS ? value : `${text.slice(0, 256)}… (${text.length} characters)`;
}
