import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['@cloister/source'] },
  ssr: { resolve: { conditions: ['@cloister/source'] } },
  test: {
    include: ['*/src/**/*.test.{ts,tsx}'],
    testTimeout: 30_000,
    // Keys are made before tests, and RSA keys take their time on a busy machine.
    hookTimeout: 60_000,
    pool: 'forks'
  }
});
