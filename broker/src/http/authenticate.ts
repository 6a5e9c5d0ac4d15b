import { authenticateByProof, type Authenticate, type ReplayMemory } from '@cloister/kit';
import { AppError, toTime, type Thumbprint } from '@cloister/protocol';
import type { BrokerContext } from '../release/context.js';
import type { Store } from '../store/tables.js';

/**
 * Who signed a request, by its proof. Routes of auth `owner` take only the owner whom this broker serves.
 */
export function createAuthenticate(context: BrokerContext, publicUrl: string): Authenticate<Thumbprint> {
  const clock = { now: context.now };
  const authenticate = authenticateByProof({ publicUrl, clock, replays: createStoredReplays(context.store, context.now) });
  return async request => {
    const sender = await authenticate(request);
    if (request.route.auth === 'owner' && sender !== undefined && sender.caller !== context.owner) {
      throw new AppError('not_permitted', 'only this broker’s owner may do that');
    }
    return sender;
  };
}

/** On disk: a proof that was seen before a restart would otherwise fetch the ledger for whoever copied it. */
function createStoredReplays(store: Store, now: () => Date): ReplayMemory {
  return {
    firstUse: async (id, forgetAfter) =>
      store.transaction().execute(async trx => {
        await trx.deleteFrom('proofs').where('expires_at', '<=', toTime(now())).execute();
        const proof = { jti: id, expires_at: toTime(forgetAfter) };
        const result = await trx.insertInto('proofs').values(proof).onConflict(conflict => conflict.doNothing()).executeTakeFirst();
        return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
      })
  };
}
