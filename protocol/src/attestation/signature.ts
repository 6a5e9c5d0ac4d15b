import { compactVerify, importJWK } from 'jose';
import { AppError } from '../errors.js';
import type { PinnedVerifier } from '../objects/trust.js';
import { verifyChain } from './certificate-chain.js';
import { fail, pass, unknown, type CheckOutcome } from './check.js';
import type { ParsedToken } from './token.js';

/**
 * Whether a pinned key signed the token: for OIDC tokens a key of the verifier's dated key sets with the token's
 * `kid`, for PKI tokens (x5c) a chain to a pinned root. `jku`, `jwk` and `x5u` are ignored; the algorithm is
 * pinned before any key is touched.
 */
export async function checkSignature(token: ParsedToken, verifier: PinnedVerifier): Promise<CheckOutcome> {
  if (token.header['alg'] !== 'RS256') return fail('RS256', token.header['alg']);
  if ('crit' in token.header || 'b64' in token.header) return fail('no critical extensions', 'crit or b64');
  try {
    return await (token.header['x5c'] === undefined ? checkPinnedKey(token, verifier) : checkChain(token, verifier));
  } catch (cause) {
    if (cause instanceof AppError) return fail('a signature by a pinned key', cause.detail);
    return fail('a signature by a pinned key', 'signature does not verify');
  }
}

async function checkPinnedKey(token: ParsedToken, verifier: PinnedVerifier): Promise<CheckOutcome> {
  const { kid } = token.header;
  const keys = verifier.jwks.flatMap(set => set.keys).filter(key => key.kid === kid);
  const distinct = [...new Map(keys.map(key => [key.n, key])).values()];
  const [key] = distinct;
  if (key === undefined) return unknown(`no pinned key of ${verifier.issuer} has the id ${typeof kid === 'string' ? kid : '(none)'}: update the trust file`);
  if (distinct.length > 1) return fail('one key for this key id', `${distinct.length} different keys`);
  await compactVerify(token.compact, await importJWK(key, 'RS256'), { algorithms: ['RS256'] });
  return pass(key.kid);
}

async function checkChain(token: ParsedToken, verifier: PinnedVerifier): Promise<CheckOutcome> {
  const { iat } = token.claims;
  if (typeof iat !== 'number') return fail('a time of issue', iat);
  const key = await verifyChain(token.header['x5c'], verifier.roots, new Date(iat * 1000));
  await compactVerify(token.compact, key, { algorithms: ['RS256'] });
  return pass('certificate chain to a pinned root');
}
