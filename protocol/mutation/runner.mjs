// A test runner for Stryker: runs the tests of one mutant in this process, the likeliest to notice first, until one does.
import { INSTRUMENTER_CONSTANTS } from '@stryker-mutator/api/core';
import { PluginKind, declareClassPlugin } from '@stryker-mutator/api/plugin';
import { DryRunStatus, TestStatus, determineHitLimitReached, toMutantRunResult } from '@stryker-mutator/api/test-runner';
import { collectFile } from './test-api.mjs';
import { createTestProgram, makeKeysFor } from './test-program.mjs';

/** What runs before the tests is nobody's coverage: a mutant is active in tests, or from the start. */
const SETUP = '#setup';

const stryker = (globalThis[INSTRUMENTER_CONSTANTS.NAMESPACE] ??= {});

class InProcessRunner {
  #program;
  /** By source file, and there by test: how many mutants it noticed. */
  #noticed = new Map();
  /** By test: milliseconds, when it ran last. */
  #times = new Map();

  capabilities() {
    return { reloadEnvironment: true };
  }

  async init() {
    this.#program = await createTestProgram();
  }

  async dryRun() {
    const tests = [];
    for (const [name, define] of Object.entries(this.#program.start())) tests.push(...(await this.#runFile(testsOf(await collectFile(name, define)), {})));
    delete stryker.mutantCoverage?.perTest[SETUP];
    return { status: DryRunStatus.Complete, tests, mutantCoverage: stryker.mutantCoverage };
  }

  async mutantRun({ activeMutant: { id, fileName }, mutantActivation, testFilter, hitLimit, disableBail }) {
    const noticed = this.#noticed.get(fileName) ?? new Map();
    this.#noticed.set(fileName, noticed);
    Object.assign(stryker, { hitCount: 0, hitLimit });
    const conclude = result => toMutantRunResult(determineHitLimitReached(stryker.hitCount, hitLimit) ?? result);
    try {
      const tests = await this.#runMutant({ id, isStatic: mutantActivation === 'static', testFilter, noticed, bail: !disableBail });
      return conclude({ status: DryRunStatus.Complete, tests });
    } catch (error) {
      return conclude({ status: DryRunStatus.Error, errorMessage: String(error?.stack ?? error) });
    } finally {
      stryker.activeMutant = undefined;
    }
  }

  async #runMutant({ id, isStatic, testFilter, noticed, bail }) {
    const mutants = { inSetUp: isStatic ? id : undefined, inTests: id };
    stryker.activeMutant = mutants.inSetUp;
    const files = Object.entries(this.#program.start()).filter(([name]) => testFilter?.some(test => fileOf(test) === name) ?? true);
    const wanted = testFilter && new Set(testFilter);
    const weights = new Map(files.map(([name]) => [name, [...noticed].reduce((sum, [test, times]) => sum + (fileOf(test) === name ? times : 0), 0)]));
    const results = [];
    for (const [name, define] of files.sort(([a], [b]) => weights.get(b) - weights.get(a))) {
      stryker.activeMutant = mutants.inSetUp;
      const tests = testsOf(await collectFile(name, define)).filter(test => wanted?.has(test.id) ?? true);
      const weight = test => noticed.get(test.id) ?? 0;
      tests.sort((a, b) => weight(b) - weight(a) || (this.#times.get(a.id) ?? 0) - (this.#times.get(b.id) ?? 0));
      results.push(...(await this.#runFile(tests, mutants, bail)));
      const failed = results.filter(({ status }) => status === TestStatus.Failed);
      for (const test of failed) noticed.set(test.id, weight(test) + 1);
      if (bail && failed.length > 0) break;
    }
    return results;
  }

  async #runFile(tests, { inSetUp, inTests }, bail = false) {
    if (tests.length === 0) return [];
    makeKeysFor(tests[0].fileName);
    Object.assign(stryker, { activeMutant: inSetUp, currentTestId: SETUP });
    const broken = await failureOf(() => setUp(tests));
    const results = [];
    for (const test of tests) {
      Object.assign(stryker, { activeMutant: inTests, currentTestId: test.id });
      const started = performance.now();
      const failureMessage = broken ?? (await failureOf(() => runTest(test)));
      const timeSpentMs = performance.now() - started;
      this.#times.set(test.id, timeSpentMs);
      const base = { id: test.id, name: test.id, fileName: test.fileName, timeSpentMs };
      results.push(failureMessage === undefined ? { ...base, status: TestStatus.Success } : { ...base, status: TestStatus.Failed, failureMessage });
      if (bail && failureMessage !== undefined) break;
    }
    Object.assign(stryker, { activeMutant: undefined, currentTestId: undefined });
    return results;
  }
}

const fileOf = id => id.slice(0, id.indexOf(' > '));

const testsOf = suite => [...suite.tests, ...suite.suites.flatMap(testsOf)];

/** The suites around a test, the outermost first. */
function suitesOf({ suite }) {
  const around = [];
  for (let at = suite; at !== undefined; at = at.parent) around.unshift(at);
  return around;
}

async function setUp(tests) {
  for (const suite of new Set(tests.flatMap(suitesOf))) for (const hook of suite.hooks.beforeAll) await hook();
}

async function runTest(test) {
  const suites = suitesOf(test);
  try {
    for (const { hooks } of suites) for (const hook of hooks.beforeEach) await hook();
    await test.run();
  } finally {
    for (const { hooks } of suites.toReversed()) for (const hook of hooks.afterEach) await hook();
  }
}

async function failureOf(run) {
  try {
    await run();
    return undefined;
  } catch (error) {
    return String(error?.message ?? error) || 'failed';
  }
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'in-process', InProcessRunner)];
