import { defineConfig } from 'vitest/config';

// Scenarios run the built programs as processes, as a user would.
export default defineConfig({
  test: {
    include: ['e2e/**/*.test.ts'],
    testTimeout: 240_000,
    hookTimeout: 300_000,
    pool: 'forks',
    fileParallelism: false
  }
});
