import { createAppraisal, Digest, VERIFIER_ADDRESSES, verifyAttestation } from '@cloister/protocol/attestation';
import { mintTestToken } from './mint-test-token.js';
import { googleByKeys } from './pin-verifiers.js';

// Your side: which program you trust, and a nonce that nobody else can know beforehand.
const image = Digest.parse(`sha256:${'5a'.repeat(32)}`);
const challenge = { audience: 'https://gate.example', nonce: crypto.randomUUID() };
const issuedAfter = new Date();
// The workload's side. Here a test key signs; a real workload asks Confidential Space, and `jwks` is what you fetched.
const { token, jwks } = await mintTestToken({ ...challenge, image, project: 'my-project' });

const google = googleByKeys(jwks, { seen: new Date(), source: VERIFIER_ADDRESSES.google.jwks });
const policy = createAppraisal({ verifiers: [google.issuer], images: [image], projects: ['my-project'] });
const { accepted, checks } = await verifyAttestation(token, {
  trust: { verifiers: [google] },
  expect: { ...challenge, policy, freshness: { kind: 'release', issuedAfter } },
  now: new Date()
});

for (const { status, title, hint } of checks) console.log(status.padEnd(7), title, hint ?? '');
console.log(accepted ? 'accepted' : 'refused');
