import {
  RELEASE_AUDIENCE,
  appraisalOfRule,
  appraisalOfRunner,
  jcs,
  verifyAttestation,
  type AppraisalPolicy,
  type AttestationResult,
  type Bytes32,
  type Rule,
  type Trust,
  type VerifyRsa
} from '@cloister/protocol';
import type { AttestationFacts, JobFacts } from './decide.js';

/** Verifies one token under any policy, once for each. */
export type Appraise = (policy: AppraisalPolicy) => Promise<AttestationResult>;

export interface AppraiseOptions {
  readonly trust: Pick<Trust, 'verifiers'>;
  readonly nonce: Bytes32;
  /** Tokens from before the challenge answer for something else. */
  readonly challengedAt: Date;
  readonly now: Date;
  readonly verifyRsa: VerifyRsa;
}

export function createAppraise(token: string, { trust, nonce, challengedAt, now, verifyRsa }: AppraiseOptions): Appraise {
  const known = new Map<string, Promise<AttestationResult>>();
  return async policy => {
    const key = jcs(policy);
    const result =
      known.get(key) ??
      verifyAttestation(token, {
        trust,
        expect: { audience: RELEASE_AUDIENCE, nonce, policy, freshness: { kind: 'release', issuedAfter: challengedAt } },
        now,
        verifyRsa
      });
    known.set(key, result);
    return result;
  };
}

/** The token's answers to every rule that the job's assets have, and to the analyst's own demands. */
export async function attestationFacts(facts: JobFacts, appraise: Appraise): Promise<AttestationFacts> {
  const ofRules = new Map<Rule, AttestationResult['checks']>();
  for (const rule of facts.assets.flatMap(asset => asset.policy?.payload.allow ?? [])) {
    ofRules.set(rule, (await appraise(appraisalOfRule(rule))).checks);
  }
  const ofCode = (await appraise(appraisalOfRunner(facts.manifest.payload.code.runner))).checks;
  return { ofRule: rule => ofRules.get(rule) ?? [], ofCode };
}

/** What a receipt and the ledger say of a token that was accepted under the analyst's demands or a rule's. */
export interface AttestedRunner {
  readonly instance: string;
  readonly image: string;
  readonly issuer: string;
}

/** @returns undefined where the token is accepted but does not say who it is about */
export async function attestedRunner(appraise: Appraise, policy: AppraisalPolicy): Promise<AttestedRunner | undefined> {
  const { accepted, claims } = await appraise(policy);
  if (!accepted || claims?.instance === undefined || claims.image === undefined || claims.issuer === undefined) return undefined;
  return { instance: claims.instance, image: claims.image, issuer: claims.issuer };
}
