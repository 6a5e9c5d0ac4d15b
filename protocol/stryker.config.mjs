// `npm run mutation`: changes the verifier's own code a piece at a time, and asks whether a test notices. What survives is
// either a hole in the tests or no change of meaning; docs/verification.md says what does, and why.
/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  mutate: ['src/attestation/**/*.ts', 'src/report/**/*.ts', 'src/policy/**/*.ts', '!src/**/*.test.ts', '!src/**/index.ts', 'src/*/checks/index.ts'],
  testRunner: 'in-process',
  plugins: ['./mutation/runner.mjs'],
  coverageAnalysis: 'perTest',
  concurrency: 2,
  timeoutMS: 60_000,
  dryRunTimeoutMinutes: 15,
  ignorePatterns: ['lib', 'examples', 'reports', 'mutation'],
  allowEmpty: false,
  reporters: ['progress-append-only', 'json'],
  jsonReporter: { fileName: '../test-results/mutation.json' },
  tempDirName: '../test-results/.stryker'
};
