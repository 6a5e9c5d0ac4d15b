import { AppError, PROOF_LIFETIME_SECONDS, verifyProof, type Thumbprint } from '@cloister/protocol';
import type { Clock } from '../clock.js';
import type { Authenticate } from './route-call.js';

/** Remembers the ids of proofs for as long as they could be used again. */
export interface ReplayMemory {
  /** True the first time that an id is shown. */
  readonly firstUse: (id: string, forgetAfter: Date) => boolean | Promise<boolean>;
}

export interface ProofSenderOptions {
  /** ServiceUrl under which clients address this service: proofs sign the whole address. */
  readonly publicUrl: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly replays: ReplayMemory;
}

/**
 * Who signed the request, by header `Cloister-Proof`: any key may sign, and what it may do is decided by the service.
 * Each proof serves once. The body is held to the proof's digest by the binder.
 */
export function authenticateByProof({ publicUrl, clock, replays }: ProofSenderOptions): Authenticate<Thumbprint> {
  return async ({ method, target, headers }) => {
    const proof = headers['cloister-proof'];
    if (proof === undefined) return undefined;
    if (typeof proof !== 'string') throw new AppError('proof_invalid', 'more than one proof');
    const now = clock.now();
    const { signer, jti, bodyDigest } = await verifyProof(proof, { htm: method, htu: publicUrl + target, now });
    // Named with its signer, so that nobody can use up the ids of others.
    const forgetAfter = new Date(now.getTime() + 2 * PROOF_LIFETIME_SECONDS * 1000);
    if (!(await replays.firstUse(`${signer}.${jti}`, forgetAfter))) throw new AppError('proof_replayed', 'this proof was used before');
    return { caller: signer, bodyDigest };
  };
}

/**
 * A memory that ends with the process. Where it is full it refuses rather than forgets: a forgotten id could be used
 * again. Ids from before a restart are not known, so a service whose requests are not idempotent keeps them on disk.
 */
export function createReplayMemory(clock: Pick<Clock, 'now'>, limit = 200_000): ReplayMemory {
  const known = new Map<string, number>();
  return {
    firstUse: (id, forgetAfter) => {
      const now = clock.now().getTime();
      // A map keeps the order of insertion, which is that of expiry: all ids live equally long.
      for (const [old, expires] of known) {
        if (expires > now) break;
        known.delete(old);
      }
      if (known.has(id)) return false;
      if (known.size >= limit) throw new AppError('rate_limited', 'too many requests to remember');
      known.set(id, forgetAfter.getTime());
      return true;
    }
  };
}
