import { AppError } from '../errors.js';
import type { Prove } from '../http/client.js';
import { createId } from '../objects/ids.js';
import type { Digest, Thumbprint } from '../objects/primitives.js';
import { PROOF, PROOF_LIFETIME_SECONDS, Proof } from '../objects/release.js';
import type { Signer } from './keys.js';
import { ANY_SIGNER, signObject, verifyObject } from './signed-object.js';

/** Signs requests with a key (after RFC 9449): method, full URL, time, a fresh id, and the body's digest. */
export function createProver(signer: Signer, clock: { readonly now: () => Date }): Prove {
  return async ({ htm, htu, bodyDigest }) => {
    const now = clock.now();
    const payload = Proof.parse({ htm, htu, bodyDigest, jti: createId(now), iat: Math.floor(now.getTime() / 1000) });
    return (await signObject(PROOF, payload, signer)).jws;
  };
}

/** The request at hand, which the proof must be for. `htu` is the full URL with path and query. */
export interface ProofExpectation {
  readonly htm: string;
  readonly htu: string;
  readonly now: Date;
  /** Absent for streams, whose reader compares the digest at the end. */
  readonly bodyDigest?: Digest;
}

/** Who signed the request, and what the signature says of its body. */
export interface VerifiedProof {
  readonly signer: Thumbprint;
  readonly jti: string;
  readonly bodyDigest: Digest;
}

/**
 * Who signed this request. The caller remembers `jti` for twice the lifetime and refuses it a second time.
 * @throws AppError proof_invalid | proof_stale (with member `time`, so that a client with a wrong clock can say so)
 */
export async function verifyProof(jws: string, expect: ProofExpectation): Promise<VerifiedProof> {
  const { payload, signer } = await readProof(jws);
  const fits = payload.htm === expect.htm && payload.htu === expect.htu;
  if (!fits) throw new AppError('proof_invalid', 'the proof is for another request');
  if (expect.bodyDigest !== undefined && payload.bodyDigest !== expect.bodyDigest) throw new AppError('proof_invalid', 'the proof is for another body');
  const age = Math.abs(expect.now.getTime() / 1000 - payload.iat);
  if (!(age <= PROOF_LIFETIME_SECONDS)) throw new AppError('proof_stale', `the proof is ${Math.round(age)} s off`, { members: { time: expect.now.toISOString() } });
  return { signer, jti: payload.jti, bodyDigest: payload.bodyDigest };
}

async function readProof(jws: string): Promise<{ payload: Proof; signer: Thumbprint }> {
  try {
    // The request itself names no signer: whoever signed is the caller, and what it may do is decided after.
    const { payload, signer } = await verifyObject(PROOF, jws, ANY_SIGNER);
    return { payload, signer };
  } catch (cause) {
    throw new AppError('proof_invalid', 'the proof does not verify', { cause });
  }
}
