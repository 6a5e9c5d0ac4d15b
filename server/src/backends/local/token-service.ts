import { SignJWT } from 'jose';
import { claimsOf, type AttestedInstance } from './claims.js';
import type { SimulatorKeys } from './keys.js';
import type { TokenOptions } from './token-options.js';

export const STS_AUDIENCE = 'https://sts.googleapis.com';
/** Google's documentation prints this one where it means the other; the service takes neither from a workload. */
const RESERVED_AUDIENCES = [STS_AUDIENCE, 'https://sts.google.com'];
const DEFAULT_OPTIONS: TokenOptions = { audience: STS_AUDIENCE, tokenType: 'OIDC', nonces: [] };
const MAX_AUDIENCE_BYTES = 512;
const MAX_NONCES = 6;
const NONCE_BYTES = { min: 10, max: 74 };

export type GrpcCode =
  | 'InvalidArgument' | 'FailedPrecondition' | 'PermissionDenied' | 'Unauthenticated' | 'NotFound'
  | 'Aborted' | 'OutOfRange' | 'Canceled' | 'Unimplemented' | 'Unavailable' | 'Internal';

/** Refusal of the attestation service; its message is the text that Go's gRPC gives. */
export class GrpcError extends Error {
  readonly code: GrpcCode;

  constructor(code: GrpcCode, description: string) {
    super(`rpc error: code = ${code} desc = ${description}`);
    this.code = code;
  }
}

export interface TokenService {
  /**
   * A compact JWT over the instance's claims; without options the default token (OIDC, for STS, no nonce).
   * @throws GrpcError where the options are not within the service's documented limits
   */
  issue(instance: AttestedInstance, options?: TokenOptions): Promise<string>;
}

/** Plays the attestation service: its limits are applied here, since the launcher passes everything on. */
export function createTokenService(keys: SimulatorKeys, clock: () => Date): TokenService {
  return {
    issue: async (instance, custom) => {
      if (custom !== undefined) requireWithinLimits(custom);
      const { audience, nonces, tokenType } = custom ?? DEFAULT_OPTIONS;
      const { key, ...header } = signerFor(tokenType, keys);
      const claims = claimsOf(instance, { audience, nonces, now: clock() });
      return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', typ: 'JWT', ...header }).sign(key);
    }
  };
}

function signerFor(tokenType: string, { oidc, pki }: SimulatorKeys) {
  switch (tokenType) {
    case 'PKI':
      return { key: pki.key, kid: pki.kid, x5c: [...pki.x5c] };
    case 'LIMITED_AWS':
    case 'AWS_PRINCIPALTAGS':
      throw new GrpcError('Unimplemented', 'the simulator makes no tokens for AWS');
    default:
      // Unknown types are no error: they map to the default profile.
      return { key: oidc.key, kid: oidc.kid };
  }
}

function requireWithinLimits({ audience, nonces }: TokenOptions): void {
  if (audience.trim() === '') throw new GrpcError('InvalidArgument', 'audience is required for a custom token');
  if (Buffer.byteLength(audience) > MAX_AUDIENCE_BYTES) throw new GrpcError('InvalidArgument', `audience is longer than ${MAX_AUDIENCE_BYTES} bytes`);
  if (RESERVED_AUDIENCES.includes(audience)) throw new GrpcError('InvalidArgument', 'audience of a custom token may not be that of STS');
  if (nonces.length > MAX_NONCES) throw new GrpcError('InvalidArgument', `more than ${MAX_NONCES} nonces`);
  const lengths = nonces.map(nonce => Buffer.byteLength(nonce));
  if (lengths.some(length => length < NONCE_BYTES.min || length > NONCE_BYTES.max)) {
    throw new GrpcError('InvalidArgument', `every nonce must have ${NONCE_BYTES.min} to ${NONCE_BYTES.max} bytes`);
  }
}
