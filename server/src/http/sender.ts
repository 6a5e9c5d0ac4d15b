import { AppError, type Digest, type RouteAuth, type Thumbprint } from '@cloister/protocol';
import { authenticateByProof, type Authenticate, type Clock } from '@cloister/kit';
import type { ProofMemory } from '../store/port.js';
import { createRateLimit } from './rate-limit.js';

/** Who signed a request, and what the signature says of its body. */
export interface Sender {
  readonly signer: Thumbprint;
  readonly bodyDigest: Digest;
}

/** Who may act in a role. `any`: every key, so that a machine for one person needs no list. */
export type Admitted = 'any' | readonly Thumbprint[];

export interface SenderOptions {
  readonly publicUrl: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly proofs: ProofMemory;
  readonly analysts: Admitted;
  readonly publishers: Admitted;
}

/** Requests a second of one key, and how many it may save up. */
const RATE = { perSecond: 200, burst: 1000 };

export function createSenderAuthentication({ publicUrl, clock, proofs, analysts, publishers }: SenderOptions): Authenticate<Sender> {
  const limit = createRateLimit(RATE, clock);
  return async request => {
    const shown: { readonly id: string; readonly until: Date }[] = [];
    const note = (id: string, until: Date): boolean => shown.push({ id, until }) > 0;
    const proven = await authenticateByProof({ publicUrl, clock, replays: { firstUse: note } })(request);
    if (proven?.bodyDigest === undefined) return undefined;
    const { caller: signer, bodyDigest } = proven;
    if (!mayAct(request.route.auth, signer, { analysts, publishers })) throw new AppError('not_permitted', 'this server does not know the key that signed the request');
    // Only now: keys cost nothing, and those whom this server does not know write nothing to its disk.
    for (const { id, until } of shown) {
      if (!(await proofs.remember(id, until, clock.now()))) throw new AppError('proof_replayed', 'this proof was used before');
    }
    limit(signer);
    return { caller: { signer, bodyDigest }, bodyDigest };
  };
}

function mayAct(auth: RouteAuth, signer: Thumbprint, lists: Pick<SenderOptions, 'analysts' | 'publishers'>): boolean {
  switch (auth) {
    case 'analyst':
      return isListed(lists.analysts, signer);
    case 'owner':
      return isListed(lists.publishers, signer);
    case 'none':
    case 'optional':
    // A runner's key is fresh for its attempt; whether it was admitted for that attempt is asked by the service.
    case 'runner':
      return true;
    case 'local':
      return false;
  }
}

function isListed(admitted: Admitted, signer: Thumbprint): boolean {
  return admitted === 'any' || admitted.includes(signer);
}
