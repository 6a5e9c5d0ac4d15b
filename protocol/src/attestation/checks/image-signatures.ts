import type { Json } from '../../bytes/json.js';
import { expectedList, fail, pass } from '../check.js';
import { isObject } from '../token.js';
import type { ClaimCheck } from '../expectation.js';

const ALGORITHMS: readonly Json[] = ['RSASSA_PSS_SHA256', 'RSASSA_PKCS1V15_SHA256', 'ECDSA_P256_SHA256'];

/** `image_signatures`: cosign signatures that Google’s verifier found and checked; the key is named by the hash of its DER. */
export const imageSignatures: ClaimCheck = {
  id: 'image_signatures',
  title: 'The program is signed by a key that you accept',
  run: ({ claims, expect: { policy } }) => {
    const signatures = claims.container['image_signatures'] ?? [];
    const ids = Array.isArray(signatures) ? signatures.map(keyIdOf) : [undefined];
    const known = ids.filter(id => id !== undefined);
    if (known.length !== ids.length) return fail('a list of signatures with key id and a known algorithm', signatures);
    const { imageSigners } = policy;
    if (imageSigners === 'any') return pass(known);
    return known.some(id => imageSigners.includes(id)) ? pass(known) : fail(expectedList(imageSigners), known);
  }
};

function keyIdOf(entry: Json): string | undefined {
  if (!isObject(entry)) return undefined;
  const { key_id: keyId, signature_algorithm: algorithm } = entry;
  return typeof keyId === 'string' && algorithm !== undefined && ALGORITHMS.includes(algorithm) ? keyId : undefined;
}
