/** Keys, tokens and whole jobs for tests of every domain. Nothing here is imported by a service. */
export * from './test-verifier.js';
export * from './test-world.js';
export * from './test-report.js';
export * from './test-chain.js';
export * from './test-relying-party.js';
