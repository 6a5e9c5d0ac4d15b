// `npm test`: sets up what is missing, then runs every check and test there is, and ends with one line that counts them.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { setUp } from './setup.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const results = mkdtempSync(join(tmpdir(), 'cloister-test-'));

/** Runs a command with its output shown; resolves to its exit code and, for parsers, what it printed. */
function run(command, args, { cwd = ROOT, env = {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NO_COLOR: '1', ...env } });
    let output = '';
    child.stdout.on('data', chunk => {
      output = (output + chunk).slice(-200_000);
      process.stdout.write(chunk);
    });
    child.on('error', reject);
    child.on('close', code => resolve({ code, output }));
  });
}

const asOne = ({ code }) => ({ passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 });

async function vitest(name, args) {
  const file = join(results, `${name}.json`);
  const { code } = await run('npx', ['vitest', 'run', '--reporter=dot', '--reporter=json', `--outputFile.json=${file}`, ...args]);
  return counted(code, () => {
    const report = JSON.parse(readFileSync(file, 'utf8'));
    return { passed: report.numPassedTests, failed: report.numFailedTests };
  });
}

async function python() {
  const file = join(results, 'python.xml');
  const { code } = await run(join(ROOT, '.venv/bin/python'), ['-m', 'pytest', '-p', 'no:cacheprovider', `--junitxml=${file}`], { cwd: join(ROOT, 'python') });
  return counted(code, () => {
    const [suite = ''] = /<testsuite [^>]*>/.exec(readFileSync(file, 'utf8')) ?? [];
    const number = name => Number(new RegExp(` ${name}="(\\d+)"`).exec(suite)?.[1] ?? 0);
    const failed = number('failures') + number('errors');
    return { passed: number('tests') - failed - number('skipped'), failed };
  });
}

async function nodeTests(files) {
  const { code, output } = await run(process.execPath, ['--test', '--test-reporter=tap', ...files]);
  return counted(code, () => ({
    passed: Number(/^# pass (\d+)$/m.exec(output)?.[1] ?? 0),
    failed: Number(/^# fail (\d+)$/m.exec(output)?.[1] ?? 0)
  }));
}

/** A real browser and a real JupyterLab. What passed only when tried again is named: it is a fault, of the test or of ours. */
async function browser() {
  const file = join(results, 'browser.json');
  const { code } = await run('npx', ['playwright', 'test', '-c', 'ui-tests'], { env: { PLAYWRIGHT_JSON_OUTPUT_NAME: file } });
  return counted(code, () => {
    const { expected, unexpected, flaky, skipped } = JSON.parse(readFileSync(file, 'utf8')).stats;
    if (flaky > 0) process.stdout.write(`${flaky} passed only when tried again: the lines above name them\n`);
    return { passed: expected + flaky, failed: unexpected + skipped };
  });
}

/** A runner that fails without naming a failed test, or that ran none, counts as one failure. */
function counted(code, read) {
  let counts = { passed: 0, failed: 0 };
  try {
    counts = read();
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
  }
  const broken = counts.failed === 0 && (code !== 0 || counts.passed === 0);
  return broken ? { ...counts, failed: 1 } : counts;
}

const STEPS = [
  ['types of tests', async () => asOne(await run('npm', ['run', '--silent', 'lint:tests']))],
  ['lint', async () => asOne(await run('npx', ['eslint', '.']))],
  ['import rules', async () => asOne(await run('npm', ['run', '--silent', 'lint:imports']))],
  ['set-up scripts', () => nodeTests(['reset', 'build-runner-image', 'build-agent', 'build-report-page', 'labextension', 'pack', 'setup/checks', 'setup/run', 'demo/analyst-trust'].map(name => `scripts/${name}.test.mjs`))],
  ['Python', python],
  ['unit, vectors, contracts', () => vitest('unit', [])],
  ['npm start', () => nodeTests(['scripts/start.test.mjs'])],
  ['wheel', () => nodeTests(['scripts/wheel.test.mjs'])],
  ['browser', browser],
  ['end to end', () => vitest('e2e', ['--config', 'vitest.e2e.config.ts'])]
];

await setUp({ quiet: true });
const only = process.argv.slice(2);
const total = { passed: 0, failed: 0 };
const failedSteps = [];
for (const [title, step] of STEPS) {
  if (only.length > 0 && !only.some(word => title.includes(word))) continue;
  process.stdout.write(`\n== ${title}\n`);
  const begun = performance.now();
  const { passed, failed } = await step();
  total.passed += passed;
  total.failed += failed;
  if (failed > 0) failedSteps.push(title);
  process.stdout.write(`== ${title}: ${passed} passed, ${failed} failed, ${((performance.now() - begun) / 1000).toFixed(1)} s\n`);
}
rmSync(results, { recursive: true, force: true });
if (failedSteps.length > 0) process.stdout.write(`\nfailed: ${failedSteps.join('; ')}\n`);
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed\n`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
