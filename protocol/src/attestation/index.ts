/** Verifying attestation tokens: `@cloister/protocol/attestation`. */
export { AppError, type ErrorCode } from '../errors.js';
export type { Json } from '../bytes/json.js';
export { Digest } from '../objects/primitives.js';
export { AppraisalPolicy, KeySet, PinnedRoot, PinnedVerifier, TokenAlgorithm, VerifierJwk } from '../objects/trust.js';
export { createAppraisal, type AppraisalDemands } from '../policy/appraisal.js';
export type { Check, CheckStatus } from './check.js';
export { HARDWARE_CHECKS } from './checks/index.js';
export { readClaims, type Claims } from './claims.js';
export type { AttestationExpectation, Freshness } from './expectation.js';
export { GOOGLE_ISSUER, INTEL_ISSUER, SIMULATOR_ISSUER, VERIFIER_TRAITS, type VerifierTraits } from './issuers.js';
export { KEY_SET_MAX_AGE_SECONDS } from './key-archive.js';
export { DROP_REASONS, appendKeySet, readKeySet, type DropReason, type DroppedKey, type ReadKeySet } from './key-set.js';
export { verifyRsaByWebCrypto, type RsaPublicKey, type VerifyRsa } from './rsa.js';
export { MAX_TOKEN_CHARS, parseToken, type ParsedToken } from './token.js';
export { VERIFIER_ADDRESSES, type PublishingVerifier, type VerifierAddress } from './verifier-addresses.js';
export { ATTESTATION_CHECK_IDS, verifyAttestation, type AttestationResult, type VerifyAttestationOptions } from './verify.js';
