import { AppError } from '../errors.js';
import type { PinnedVerifier, Trust } from '../objects/trust.js';
import { fail, pass, skipped, unknown, type Check, type CheckOutcome } from './check.js';
import { CLAIM_CHECKS } from './checks/index.js';
import { readClaims, type Claims } from './claims.js';
import type { AttestationExpectation, CheckContext } from './expectation.js';
import { checkSignature } from './signature.js';
import { parseToken, type ParsedToken } from './token.js';

/** Issuer of the local simulator. `.invalid` (RFC 2606) can belong to nobody. */
export const SIMULATOR_ISSUER = 'https://simulator.cloister.invalid';
/** Issuer of Google Cloud Attestation, as its tokens and its OpenID configuration write it. */
export const GOOGLE_ISSUER = 'https://confidentialcomputing.googleapis.com';

/** What a token is verified by. `now` is the verifier’s own clock. */
export interface VerifyAttestationOptions {
  readonly trust: Pick<Trust, 'verifiers'>;
  readonly expect: AttestationExpectation;
  readonly now: Date;
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
 * Verifies an attestation result (RFC 9334) of Confidential Space or of the local simulator: form, pinned issuer,
 * signature, then every question about its claims. Never throws on a bad token: a check fails.
 */
export async function verifyAttestation(token: string, options: VerifyAttestationOptions): Promise<AttestationResult> {
  const form = parseForm(token);
  if (form.token === undefined) return conclude([form.check, ...skipAll('the token cannot be read')]);
  const claims = readClaims(form.token.claims);
  const verifier = options.trust.verifiers.find(pinned => pinned.issuer === claims.issuer);
  const issuer = named(ISSUER, checkIssuer(claims, verifier, options.expect));
  if (verifier === undefined) return conclude([form.check, issuer, ...skipAll('the issuer is not pinned', 1)], claims);
  const signature = named(SIGNATURE, await checkSignature(form.token, verifier));
  const context: CheckContext = { claims, verifier, expect: options.expect, now: options.now };
  const answers = CLAIM_CHECKS.map(check => named(check, check.run(context)));
  return conclude([form.check, issuer, signature, ...answers], claims, verifier);
}

const FORM = { id: 'token_form', title: 'The token is well formed' };
const ISSUER = { id: 'issuer', title: 'A verifier that you trust issued it' };
const SIGNATURE = { id: 'signature', title: 'The verifier’s signature holds' };

function parseForm(compact: string): { check: Check; token?: ParsedToken } {
  try {
    return { check: named(FORM, pass()), token: parseToken(compact) };
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause;
    return { check: named(FORM, fail('a canonical compact JWS', cause.detail)) };
  }
}

function checkIssuer(claims: Claims, verifier: PinnedVerifier | undefined, expect: AttestationExpectation): CheckOutcome {
  const allowed = expect.policy.verifiers;
  if (claims.issuer === undefined || !allowed.includes(claims.issuer)) return fail([...allowed], claims.issuer);
  return verifier === undefined ? unknown(`${claims.issuer} is not pinned in the trust file`) : pass(claims.issuer);
}

function skipAll(reason: string, from = 0): Check[] {
  return [ISSUER, SIGNATURE, ...CLAIM_CHECKS].slice(from).map(check => named(check, skipped(reason)));
}

function named(check: { readonly id: string; readonly title: string }, outcome: CheckOutcome): Check {
  return { id: check.id, title: check.title, ...outcome };
}

function conclude(checks: readonly Check[], claims?: Claims, verifier?: PinnedVerifier): AttestationResult {
  return {
    accepted: checks.every(check => check.status === 'pass'),
    simulated: verifier?.kind === 'simulator',
    checks,
    ...(claims === undefined ? {} : { claims })
  };
}
