import { fileURLToPath } from 'node:url';
import { defineConfig } from '@playwright/test';

const RESULTS = fileURLToPath(new URL('../test-results/', import.meta.url));
const jsonFile = process.env['PLAYWRIGHT_JSON_OUTPUT_NAME'];

// A real browser against a real JupyterLab with its login, its XSRF checks and a base URL; nothing of Cloister is replaced.
export default defineConfig({
  testDir: 'specs',
  outputDir: `${RESULTS}browser`,
  // Jobs, kernels, a daemon and a browser share the machine: side by side they would only wait for each other.
  workers: 1,
  fullyParallel: false,
  forbidOnly: process.env['CI'] !== undefined,
  // On a busy machine a job may outlast a timeout; whoever develops wants to see that at once.
  retries: process.env['CI'] === undefined ? 0 : 1,
  timeout: 120_000,
  expect: { timeout: 20_000 },
  reporter: jsonFile === undefined ? 'list' : [['list'], ['json', { outputFile: jsonFile }]],
  use: {
    browserName: 'chromium',
    viewport: { width: 1400, height: 900 },
    actionTimeout: 20_000,
    navigationTimeout: 60_000,
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']
    }
  }
});
