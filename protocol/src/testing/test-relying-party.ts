import { digestOf } from '../bytes/digest.js';
import { toUtf8 } from '../bytes/text.js';
import { RELEASE_AUDIENCE } from '../objects/release.js';
import type { AppraisalPolicy, PinnedVerifier } from '../objects/trust.js';
import { createAppraisal } from '../policy/appraisal.js';
import type { AttestationExpectation } from '../attestation/expectation.js';
import { verifyAttestation } from '../attestation/verify.js';
import { createTestVerifier, type MintOptions, type TestVerifier, type TestVerifierOptions } from './test-verifier.js';

/** When test tokens are minted and, unless a test says otherwise, verified. */
export const TEST_TIME = new Date('2026-06-01T12:00:00.000Z');
export const TEST_IMAGE = digestOf(toUtf8('image'));
export const TEST_NONCE = 'n'.repeat(42) + 'A';

/** What a test changes of how a token is verified. */
export interface TestVerification {
  readonly policy?: Partial<AppraisalPolicy>;
  readonly expect?: Partial<AttestationExpectation>;
  readonly now?: Date;
  readonly pinned?: readonly PinnedVerifier[];
}

/** Somebody who asks one verifier for keys: what it mints is accepted until a test changes something. */
export interface TestRelyingParty {
  readonly verifier: TestVerifier;
  readonly expect: AttestationExpectation;
  readonly mint: (over?: Partial<MintOptions>) => Promise<string>;
  /** Ids of all checks of a token that did not pass; empty where it was accepted. */
  readonly refusals: (token: string, over?: TestVerification) => Promise<string[]>;
}

export async function createTestRelyingParty(options: TestVerifierOptions = {}): Promise<TestRelyingParty> {
  const verifier = await createTestVerifier(options);
  const demands = { verifiers: [verifier.pinned.issuer], images: [TEST_IMAGE], projects: ['test'], envOverrides: ['CLOISTER_JOB'] };
  const expect: AttestationExpectation = {
    audience: RELEASE_AUDIENCE,
    nonce: TEST_NONCE,
    policy: createAppraisal(demands),
    freshness: { kind: 'release', issuedAfter: TEST_TIME },
    instance: 'job-1'
  };
  return {
    verifier,
    expect,
    mint: over => verifier.mint({ audience: RELEASE_AUDIENCE, nonces: [TEST_NONCE], image: TEST_IMAGE, instance: 'job-1', issuedAt: TEST_TIME, envOverride: { CLOISTER_JOB: 'x' }, ...over }),
    refusals: async (token, over = {}) => {
      const policy = createAppraisal({ ...demands, ...over.policy });
      const trust = { verifiers: [...(over.pinned ?? [verifier.pinned])] };
      const { checks, accepted } = await verifyAttestation(token, { trust, expect: { ...expect, policy, ...over.expect }, now: over.now ?? TEST_TIME });
      const refusals = checks.filter(check => check.status !== 'pass').map(check => check.id);
      if (accepted !== (refusals.length === 0)) throw new Error(`accepted is ${String(accepted)} where ${refusals.length} checks did not pass`);
      return refusals;
    }
  };
}
