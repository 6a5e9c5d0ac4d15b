import {
  AppError,
  WITNESS,
  digestOf,
  fromBase64,
  isWitnessOf,
  sessionNonce,
  signObject,
  toTime,
  type CompactJws,
  type Report,
  type ReportEvidence,
  type Witness
} from '@cloister/protocol';
import { appendEntry, entryOf } from '../ledger/ledger.js';
import type { BrokerContext } from '../release/context.js';
import { CLOCK_SKEW_MS } from '../release/decide.js';
import { mayBind, replyOf } from '../store/bindings.js';
import { factOf } from '../store/facts.js';
import { termsOf } from '../store/terms.js';
import type { Store } from '../store/tables.js';
import { keepStatement, seenStatement, witnessOf, type Seen } from '../store/witnesses.js';
import { rejected, verifyForWitness } from './verify-for-witness.js';

/**
 * Countersigns the statement of an attempt that this broker released to, one for each attempt: so that of two reports for
 * one attempt at most one is witnessed. The report authenticates itself, so anybody may bring it.
 * @throws AppError report_rejected | statement_conflict (with the witness of the other statement) | rolled_back | rate_limited
 */
export async function witnessReport(context: BrokerContext, report: Report): Promise<{ witness: CompactJws }> {
  const seen = await seenStatement(context.store, digestOf(fromBase64(report.statement)));
  if (seen !== undefined) return told(context, seen);
  const session = sessionNonce(report.session);
  // Before anything costly: whoever got no keys here has nothing that this broker could witness.
  if ((await replyOf(context.store, session)) === undefined) throw rejected('this broker released nothing to the session of the report', []);
  limit(context, session);
  const rules = await termsOf(context.store, context.owner, session);
  const evidence = await verifyForWitness(context, report, rules);
  await requireOwnRelease(context, evidence, rules.length);
  return told(context, await context.store.transaction().execute(async trx => countersign(trx, context, evidence)));
}

/** Verifying costs; by session, so that nobody spends what another runner needs. */
function limit({ reports, now }: BrokerContext, session: string): void {
  const wait = reports.take(session, now());
  if (wait > 0) throw new AppError('rate_limited', 'too many reports of one session', { members: { retryAfterSeconds: Math.ceil(wait / 1000) } });
}

/**
 * The receipt in the report is this broker's own, and its ledger still holds the release. A broker that was restored from
 * a backup may have witnessed another statement since, and forgotten.
 */
async function requireOwnRelease(context: BrokerContext, { receipts, session, sessionNonce: nonce }: ReportEvidence, rules: number): Promise<void> {
  const { store, keys } = context;
  const own = receipts.find(receipt => receipt.signer === keys.signer.thumbprint)?.payload;
  const entry = own === undefined ? undefined : await entryOf(store, own.ledger);
  if (entry?.kind !== 'release' || entry.session !== nonce || entry.job !== session.job || entry.attempt !== session.attempt) {
    throw rejected('this broker’s ledger has no such release', []);
  }
  const { length: assets } = entry.grants.filter(grant => 'asset' in grant);
  if (rules !== assets) throw rejected('the terms of this release were not kept', []);
  const { job, attempt, recipient, key } = session;
  if (!(await mayBind(store, { job, attempt, recipient, key }))) throw rejected('the attempt was bound to other keys', []);
  const restored = await factOf(store, 'restored_at');
  if (restored !== undefined && Date.parse(entry.time) <= Date.parse(restored) + CLOCK_SKEW_MS) {
    throw new AppError('rolled_back', 'the release is from before this broker was restored from a backup, so what it witnessed of it may be forgotten', {
      hint: 'Nothing to do: the report holds without this witness.'
    });
  }
}

/** The one transaction: what is signed is recorded, or neither; and a contradiction is recorded once. */
async function countersign(store: Store, context: BrokerContext, evidence: ReportEvidence): Promise<Seen> {
  const now = context.now();
  const { statement: { predicate }, statementDigest: statement, sessionNonce: session } = evidence;
  const { job, attempt, timing } = predicate;
  const seen = await seenStatement(store, statement);
  if (seen !== undefined) return seen;
  const first = await witnessOf(store, { job, attempt });
  if (first !== undefined) {
    const { statement: witnessed, jws } = first;
    await appendEntry(store, { kind: 'conflict', job, attempt, session, statement, witnessed }, now);
    await keepStatement(store, { job, attempt, statement });
    context.logger.warn({ job, attempt }, 'a second statement for one attempt');
    return { other: jws };
  }
  const witness: Witness = { v: 1, job, attempt, session, statement, time: toTime(now) };
  if (!isWitnessOf(witness, { job, attempt, session, statement, ended: timing.ended })) {
    throw rejected('the run ended later than this broker’s clock says it is', []);
  }
  await appendEntry(store, { kind: 'witness', job, attempt, session, statement }, now);
  const { jws } = await signObject(WITNESS, witness, context.keys.signer);
  await keepStatement(store, { job, attempt, statement, witness: jws });
  context.logger.info({ job, attempt }, 'witnessed');
  return { witness: jws };
}

/** Nothing is told before the outside heads cover it. */
async function told({ heads }: BrokerContext, seen: Seen): Promise<{ witness: CompactJws }> {
  await heads.settle();
  if ('witness' in seen) return { witness: seen.witness };
  throw new AppError('statement_conflict', 'another statement of this attempt was witnessed before; `witness` says which', { members: { witness: seen.other } });
}
