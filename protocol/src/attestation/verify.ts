import type { PinnedVerifier, Trust } from '../objects/trust.js';
import { fail, pass, skipped, unknown, type Check, type CheckOutcome } from './check.js';
import { requireAppraisal } from '../policy/appraisal.js';
import { CLAIM_CHECKS } from './checks/index.js';
import { readClaims, type Claims } from './claims.js';
import type { AttestationExpectation } from './expectation.js';
import { verifyRsaByWebCrypto, type VerifyRsa } from './rsa.js';
import { checkAlgorithm, checkSignature, findSigningKey } from './signature.js';
import { readToken } from './token.js';

/** What a token is verified by. `now` is the verifier’s own clock. */
export interface VerifyAttestationOptions {
  readonly trust: Pick<Trust, 'verifiers'>;
  readonly expect: AttestationExpectation;
  readonly now: Date;
  /** How RSA signatures are verified: WebCrypto, unless the caller has something faster. */
  readonly verifyRsa?: VerifyRsa;
}

/** The answers to all questions about one token. */
export interface AttestationResult {
  /** Every check passed. Nothing else counts as yes. */
  readonly accepted: boolean;
  /** The token is by a pinned simulator: nothing about hardware is proven. */
  readonly simulated: boolean;
  readonly checks: readonly Check[];
  /** What the token says; to be believed only where `accepted`. */
  readonly claims?: Claims;
}

/**
 * Verifies an attestation result (RFC 9334): a Confidential Space token of Google Cloud Attestation (OIDC or PKI) or of Intel Trust
 * Authority, or one of the local simulator. Form, pinned issuer, algorithm, key, signature, then every question
 * about its claims; all are asked, and none is left out without saying why. Never throws on a bad token: a check fails.
 * @throws AppError invalid_object where the policy is none
 */
export async function verifyAttestation(compact: string, options: VerifyAttestationOptions): Promise<AttestationResult> {
  requireAppraisal(options.expect.policy);
  const { form, encoding, uniqueKeys, token } = readToken(compact);
  const read = [named(FORM, form), named(ENCODING, encoding), named(UNIQUE_KEYS, uniqueKeys)];
  if (token === undefined) return conclude([...read, ...skipAll([ISSUER, ...BY_VERIFIER], 'the token cannot be read')]);
  const claims = readClaims(token.claims);
  const verifier = options.trust.verifiers.find(pinned => pinned.issuer === claims.issuer);
  const issuer = named(ISSUER, checkIssuer(claims, verifier, options.expect));
  if (verifier === undefined) return conclude([...read, issuer, ...skipAll(BY_VERIFIER, 'the issuer is not pinned')], claims);
  const algorithm = named(ALGORITHM, checkAlgorithm(token, verifier));
  const key = await findSigningKey(token, verifier);
  const signature = named(SIGNATURE, await checkSignature(token, key, options.verifyRsa ?? verifyRsaByWebCrypto));
  const context = { claims, verifier, expect: options.expect, now: options.now };
  const answers = CLAIM_CHECKS.map(check => named(check, check.run(context)));
  return conclude([...read, issuer, algorithm, named(KEY, key.outcome), signature, ...answers], claims, verifier);
}

const FORM = { id: 'token_form', title: 'The token is well formed' };
const ENCODING = { id: 'encoding', title: 'The token can be decoded in one way only' };
const UNIQUE_KEYS = { id: 'unique_keys', title: 'The token says everything once' };
const ISSUER = { id: 'issuer', title: 'A verifier that you trust issued it' };
const ALGORITHM = { id: 'algorithm', title: 'It is signed as this verifier signs' };
const KEY = { id: 'key', title: 'The key that signed it is one that you trust' };
const SIGNATURE = { id: 'signature', title: 'The verifier’s signature holds' };

/** All that cannot be asked before the issuer is known to be pinned. */
const BY_VERIFIER = [ALGORITHM, KEY, SIGNATURE, ...CLAIM_CHECKS];

/** Ids of all checks of a token, in their order. */
export const ATTESTATION_CHECK_IDS: readonly string[] = [FORM, ENCODING, UNIQUE_KEYS, ISSUER, ...BY_VERIFIER].map(check => check.id);

function checkIssuer(claims: Claims, verifier: PinnedVerifier | undefined, expect: AttestationExpectation): CheckOutcome {
  const allowed = expect.policy.verifiers;
  if (claims.issuer === undefined || !allowed.includes(claims.issuer)) return fail([...allowed], claims.issuer);
  return verifier === undefined ? unknown(`${claims.issuer} is not pinned in the trust file`) : pass(claims.issuer);
}

interface CheckName {
  readonly id: string;
  readonly title: string;
}

function skipAll(checks: readonly CheckName[], reason: string): Check[] {
  return checks.map(check => named(check, skipped(reason)));
}

function named({ id, title }: CheckName, outcome: CheckOutcome): Check {
  return { id, title, ...outcome };
}

function conclude(checks: readonly Check[], claims?: Claims, verifier?: PinnedVerifier): AttestationResult {
  return {
    accepted: checks.every(check => check.status === 'pass'),
    simulated: verifier?.kind === 'simulator',
    checks,
    ...(claims === undefined ? {} : { claims })
  };
}
