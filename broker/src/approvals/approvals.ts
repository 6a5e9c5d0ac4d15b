import { APPROVAL, digestOfJson, verifyObject, type Approval, type Digest, type Manifest, type Thumbprint, type Verified } from '@cloister/protocol';
import { sql } from 'kysely';
import type { Store } from '../store/tables.js';

export type ApprovalState = 'approved' | 'refused' | 'none';

/** Digest of what is decided on: one code under one environment, parameters and inputs, by one analyst. */
function subjectOf(subject: Pick<Approval, 'code' | 'environment' | 'parameters' | 'inputs' | 'analyst'>): Digest {
  const { code, environment, parameters, analyst } = subject;
  return digestOfJson({ code, environment, parameters, inputs: [...subject.inputs].sort(), analyst });
}

/**
 * Records an owner's word. The same word again changes nothing, so that an approval that was refused since cannot be
 * put back in force by whoever kept a copy.
 * @returns whether it is new
 */
export async function recordApproval(store: Store, approval: Verified<Approval>): Promise<boolean> {
  const result = await store
    .insertInto('approvals')
    .values({ approval: approval.digest, subject: subjectOf(approval.payload), jws: approval.jws, voided: 0 })
    .onConflict(conflict => conflict.doNothing())
    .executeTakeFirst();
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

/** The owner's latest word on a manifest's code. A word that has run out, or was voided, is none. */
export async function approvalOf(store: Store, owner: Thumbprint, manifest: Manifest, now: Date): Promise<ApprovalState> {
  const { code, environment, parameters } = { ...manifest.code, code: manifest.code.digest };
  const subject = subjectOf({ code, environment, parameters, inputs: manifest.inputs.map(input => input.asset), analyst: manifest.analyst });
  const row = await store
    .selectFrom('approvals')
    .select(['jws', 'voided'])
    .where('subject', '=', subject)
    .orderBy(sql`rowid`, 'desc')
    .limit(1)
    .executeTakeFirst();
  if (row === undefined || row.voided !== 0) return 'none';
  const { payload } = await verifyObject(APPROVAL, row.jws, owner);
  if (subjectOf(payload) !== subject) return 'none';
  return payload.notAfter > now.toISOString() ? payload.decision : 'none';
}

/** After a rollback: whether any of them was withdrawn since the backup is not known. The owner signs anew. */
export async function voidApprovals(store: Store): Promise<void> {
  await store.updateTable('approvals').set({ voided: 1 }).execute();
}
