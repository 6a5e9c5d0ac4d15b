import { APPROVAL, verifyObject, type Digest } from '@cloister/protocol';
import { appendEntry } from '../ledger/ledger.js';
import type { BrokerContext } from '../release/context.js';
import { recordApproval } from './approvals.js';

/** Records the owner's signed approval or refusal of a code. @throws AppError wrong_signer */
export async function acceptApproval(context: BrokerContext, jws: string): Promise<Digest> {
  const approval = await verifyObject(APPROVAL, jws, context.owner);
  const { code, decision } = approval.payload;
  await context.store.transaction().execute(async trx => {
    if (!(await recordApproval(trx, approval))) return;
    await appendEntry(trx, { kind: 'approval', approval: approval.digest, code, decision }, context.now());
  });
  await context.heads.settle();
  return approval.digest;
}
