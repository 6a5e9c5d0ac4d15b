import { AppError } from '../errors.js';
import { fromBase64Url } from '../bytes/base64url.js';
import { TokenAlgorithm, type PinnedVerifier } from '../objects/trust.js';
import { verifyChain } from './certificate-chain.js';
import { fail, pass, skipped, unknown, type CheckOutcome } from './check.js';
import { VERIFIER_TRAITS } from './issuers.js';
import { findKey } from './key-archive.js';
import type { RsaPublicKey, VerifyRsa } from './rsa.js';
import type { ParsedToken } from './token.js';

/** Header members that change how a token is read (RFC 7515 section 4.1.11, RFC 7797, RFC 7516): none has a place here. */
const FOREIGN_MEMBERS = ['crit', 'b64', 'enc', 'zip', 'epk'];

/** Whether the header asks for what this verifier does and nothing else. Before any key is touched. */
export function checkAlgorithm({ header }: ParsedToken, verifier: PinnedVerifier): CheckOutcome {
  const { algorithms } = VERIFIER_TRAITS[verifier.kind];
  const { alg, typ } = header;
  if (algorithmOf(header, algorithms) === undefined) return fail([...algorithms], alg);
  const foreign = FOREIGN_MEMBERS.filter(member => member in header);
  if (foreign.length > 0) return fail('no member that changes how the token is read', foreign);
  return typ === undefined || typ === 'JWT' ? pass(alg) : fail('JWT', typ);
}

const ALGORITHMS: readonly TokenAlgorithm[] = TokenAlgorithm.options;

function algorithmOf({ alg }: ParsedToken['header'], algorithms = ALGORITHMS): TokenAlgorithm | undefined {
  return algorithms.find(algorithm => algorithm === alg);
}

/** A key that a pinned root or the key archive vouches for, or why there is none. */
export interface SigningKey {
  readonly outcome: CheckOutcome;
  readonly key?: RsaPublicKey;
}

/**
 * The key that must have signed: for tokens with certificates the leaf’s, its chain verified to a pinned root at the time of
 * issue; for others the archive’s. `jku`, `jwk` and `x5u` are ignored: a token does not say whom to believe.
 */
export function findSigningKey({ header, claims }: ParsedToken, verifier: PinnedVerifier): SigningKey | Promise<SigningKey> {
  const { iat: issuedAt } = claims;
  if (typeof issuedAt !== 'number' || !Number.isSafeInteger(issuedAt)) return { outcome: fail('a time of issue', issuedAt) };
  if (header['x5c'] !== undefined && VERIFIER_TRAITS[verifier.kind].pki) return checkChain(header['x5c'], verifier, issuedAt);
  const { kid } = header;
  const algorithm = algorithmOf(header);
  if (typeof kid !== 'string') return { outcome: fail('a key id', kid) };
  if (algorithm === undefined) return { outcome: skipped('the algorithm is none that this verifier signs with') };
  return findKey(verifier, { kid, algorithm, issuedAt });
}

async function checkChain(x5c: ParsedToken['header'][string], { issuer, roots }: PinnedVerifier, issuedAt: number): Promise<SigningKey> {
  if (roots.length === 0) return { outcome: unknown(`no root certificate of ${issuer} is pinned: add one to the trust file`) };
  try {
    const key = await verifyChain(x5c, roots.map(root => root.fingerprint), new Date(issuedAt * 1000));
    return { key, outcome: pass('certificate chain to a pinned root') };
  } catch (cause) {
    if (cause instanceof AppError) return { outcome: fail('a certificate chain to a pinned root', cause.detail) };
    throw cause;
  }
}

/** Whether that key signed these very bytes. */
export async function checkSignature(token: ParsedToken, { key }: SigningKey, verifyRsa: VerifyRsa): Promise<CheckOutcome> {
  if (key === undefined) return skipped('there is no key to check it with');
  const algorithm = algorithmOf(token.header);
  if (algorithm === undefined) return skipped('the algorithm is none that this verifier signs with');
  const signed = { input: token.signingInput, signature: token.signature };
  return (await verifies(verifyRsa, key, { algorithm, signed })) ? pass(algorithm) : fail('a signature by this key', 'another');
}

async function verifies(verifyRsa: VerifyRsa, key: RsaPublicKey, { algorithm, signed }: { algorithm: TokenAlgorithm; signed: Parameters<VerifyRsa>[2] }): Promise<boolean> {
  try {
    return signed.signature.length === octetsOf(key) && (await verifyRsa(key, algorithm, signed));
  } catch {
    return false; // a key or signature that cannot be read verifies nothing
  }
}

/**
 * Bytes of the modulus, and so of every signature by it (RFC 8017 sections 8.1.2 and 8.2.2, step 1). Libraries take a PSS signature
 * without its leading zeros too, and then one signature has two texts.
 */
function octetsOf({ n }: RsaPublicKey): number {
  // A text that begins otherwise has a first byte that is not zero.
  if (!n.startsWith('A')) return Math.floor((n.length * 3) / 4);
  const bytes = fromBase64Url(n);
  return bytes.length - Math.max(0, bytes.findIndex(byte => byte !== 0));
}
