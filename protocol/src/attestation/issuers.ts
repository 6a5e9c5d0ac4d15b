import type { PinnedVerifier, TokenAlgorithm } from '../objects/trust.js';

/** Issuer of the local simulator. `.invalid` (RFC 2606) can belong to nobody. */
export const SIMULATOR_ISSUER = 'https://simulator.cloister.invalid';
/** Issuer of Google Cloud Attestation, as its tokens and its OpenID configuration write it. */
export const GOOGLE_ISSUER = 'https://confidentialcomputing.googleapis.com';
/** Issuer of Intel Trust Authority in its first region, as Google’s documents name it for Confidential Space. */
export const INTEL_ISSUER = 'https://portal.trustauthority.intel.com';

/** What differs between kinds of verifiers, apart from their keys. */
export interface VerifierTraits {
  /** Pinned before any key is touched. */
  readonly algorithms: readonly TokenAlgorithm[];
  /** Whether its tokens may carry certificates (`x5c`). */
  readonly pki: boolean;
  /** Values of `hwmodel` that keep memory from the machine’s operator. GCP_SHIELDED_VM is none of them. */
  readonly hardware: readonly string[];
  /** Member of the claim `tdx` that states how current the platform’s firmware is. */
  readonly tcbStatus: 'gcp_attester_tcb_status' | 'attester_tcb_status';
  /** Whether keys come and go, so that it matters when one was seen. A simulator keeps its own for life. */
  readonly rotatesKeys: boolean;
}

/** `hwmodel` of the local simulator: a value that no hardware has. */
export const SIMULATED_HARDWARE = 'SIMULATED';

/** Google: “Attestation token claims”. Intel: tokens of the launcher’s `/v1/intel/token`, whose claims are Google’s but for these. */
export const VERIFIER_TRAITS: Readonly<Record<PinnedVerifier['kind'], VerifierTraits>> = {
  google: { algorithms: ['RS256'], pki: true, hardware: ['GCP_AMD_SEV', 'GCP_AMD_SEV_ES', 'GCP_INTEL_TDX'], tcbStatus: 'gcp_attester_tcb_status', rotatesKeys: true },
  intel: { algorithms: ['RS256', 'PS384'], pki: false, hardware: ['INTEL_TDX'], tcbStatus: 'attester_tcb_status', rotatesKeys: true },
  simulator: { algorithms: ['RS256'], pki: true, hardware: [SIMULATED_HARDWARE], tcbStatus: 'gcp_attester_tcb_status', rotatesKeys: false }
};

/** Values of `hwmodel` that mean Intel TDX, whose tokens state the firmware’s status. */
export const TDX_HARDWARE: readonly string[] = ['GCP_INTEL_TDX', 'INTEL_TDX'];
