// Code of somebody who tests a gate of her own with tokens by test keys: it is compiled, never run.
import { verifyAttestation, type AttestationExpectation } from '@cloister/protocol/attestation';
import { createTestVerifier, type MintOptions, type TestVerifier } from '@cloister/protocol/testing';

export async function isRefused(mint: MintOptions, expect: AttestationExpectation): Promise<boolean> {
  const verifier: TestVerifier = await createTestVerifier();
  const { accepted } = await verifyAttestation(await verifier.mint(mint), { trust: { verifiers: [verifier.pinned] }, expect, now: mint.issuedAt });
  return !accepted;
}
