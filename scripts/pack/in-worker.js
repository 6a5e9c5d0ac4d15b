// Bundled for browsers and workers, then run where nothing of Node is left: verifies a token by key set and one by certificates.
import { createAppraisal, verifyAttestation } from '@cloister/protocol/attestation';
import { mintTestToken } from './mint-test-token.js';
import { googleByKeys } from './pin-verifiers.js';

const verify = async (token, { pinned, challenge, policy }) => {
  const freshness = { kind: 'release', issuedAfter: new Date(Date.now() - 60_000) };
  const { accepted, checks } = await verifyAttestation(token, { trust: { verifiers: [pinned] }, expect: { ...challenge, policy, freshness }, now: new Date() });
  return { accepted, failed: checks.filter(({ status }) => status !== 'pass').map(({ id }) => id) };
};

/** @param pki what make-samples.mjs wrote */
globalThis.verifyAll = async ({ token, ...pki }) => {
  const challenge = { audience: 'https://gate.example', nonce: 'another nonce' };
  const image = `sha256:${'5a'.repeat(32)}`;
  const minted = await mintTestToken({ ...challenge, image, project: 'my-project' });
  const pinned = googleByKeys(minted.jwks, { seen: new Date(), source: 'a test' });
  const policy = createAppraisal({ verifiers: [pinned.issuer], images: [image], projects: ['my-project'] });
  return {
    keys: await verify(minted.token, { pinned, challenge, policy }),
    otherKeys: await verify(minted.token, { pinned: pki.pinned, challenge, policy }),
    certificates: await verify(token, pki),
    otherCertificates: await verify(token, { ...pki, pinned: { ...pki.pinned, roots: [{ fingerprint: image, source: 'a test' }] } })
  };
};
