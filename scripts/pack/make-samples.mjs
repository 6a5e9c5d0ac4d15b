// Runs in a project that has the library with its optional peers: a report and a PKI token by test keys, as JSON in the working folder.
import { writeFileSync } from 'node:fs';
import { createAppraisal, GOOGLE_ISSUER, SIMULATOR_ISSUER } from '@cloister/protocol';
import { createTestReport, createTestVerifier, createTestWorld } from '@cloister/protocol/testing';

const save = (name, value) => writeFileSync(name, typeof value === 'string' ? value : JSON.stringify(value));

const simulator = await createTestVerifier();
const world = await createTestWorld({ owners: ['hospital', 'registry'] });
const { report } = await createTestReport(world, simulator, { kind: 'pki' });
save('report.json', report);
save('trust.json', {
  v: 1,
  owners: world.owners.map(({ owner, name }) => ({ thumbprint: owner.thumbprint, name })),
  verifiers: [simulator.pinned],
  images: [{ image: world.image, source: 'a test' }]
});
const any = { hardware: ['SIMULATED'], attributes: 'any', projects: 'any', envOverrides: 'any' };
save('policy.json', createAppraisal({ verifiers: [SIMULATOR_ISSUER], images: [world.image], ...any }));

const google = await createTestVerifier({ kind: 'google', issuer: GOOGLE_ISSUER, hardware: 'GCP_AMD_SEV' });
const challenge = { audience: 'https://gate.example', nonce: 'a nonce of the test' };
const issuedAt = new Date();
const token = await google.mint({ audience: challenge.audience, nonces: [challenge.nonce], image: world.image, instance: 'test-1', issuedAt, kind: 'pki' });
save('pki-token.jwt', token);
save('pki.json', { token, pinned: google.pinned, challenge, policy: createAppraisal({ verifiers: [GOOGLE_ISSUER], images: [world.image], projects: ['test'] }) });
save('pki-expect.json', { verifier: 'google', ...challenge, image: world.image, project: 'test' });
