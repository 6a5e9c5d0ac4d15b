// The part of vitest's interface that the tests here use, without vitest's processes: it collects tests, and the runner runs
// them. Assertions and spies are vitest's own.
import { ASYMMETRIC_MATCHERS_OBJECT, GLOBAL_EXPECT, JestAsymmetricMatchers, JestChaiExpect, JestExtend, chai, setState } from '@vitest/expect';
import { fn } from '@vitest/spy';
import { format } from 'node:util';

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);

export const expect = (value, message) => chai.expect(value, message);
Object.assign(expect, chai.expect, globalThis[ASYMMETRIC_MATCHERS_OBJECT]);
globalThis[GLOBAL_EXPECT] = expect;
setState({ assertionCalls: 0, isExpectingAssertions: false }, expect);

const HOOKS = ['beforeAll', 'afterAll', 'beforeEach', 'afterEach'];
let file;
let suite;

const createSuite = (name, parent) => ({ name, parent, fileName: parent?.fileName ?? name, tests: [], suites: [], hooks: Object.fromEntries(HOOKS.map(hook => [hook, []])) });

/** What `define` declares, as a tree of suites under the file's name. */
export async function collectFile(name, define) {
  file = { titles: new Map(), root: createSuite(name, undefined) };
  suite = file.root;
  await define();
  return file.root;
}

export function test(title, run) {
  const names = [title];
  for (let at = suite; at !== undefined; at = at.parent) names.unshift(at.name);
  const name = names.join(' > ');
  const times = (file.titles.get(name) ?? 0) + 1;
  file.titles.set(name, times);
  suite.tests.push({ id: times === 1 ? name : `${name} (${times})`, fileName: suite.fileName, run, suite });
}

export function describe(name, define) {
  const child = createSuite(name, suite);
  suite.suites.push(child);
  suite = child;
  try {
    define();
  } finally {
    suite = child.parent;
  }
}

function titleOf(title, row, args) {
  const named = title.replaceAll(/\$([\w.]+)/g, (whole, path) => String(path.split('.').reduce((value, key) => value?.[key], row) ?? whole));
  return format(named, ...args.slice(0, named.match(/%[sdijoO]/g)?.length ?? 0));
}

const eachOf = declare => rows => (title, run) => {
  const areArguments = rows.every(row => Array.isArray(row));
  for (const row of rows) {
    const args = areArguments ? row : [row];
    declare(titleOf(title, row, args), () => run(...args));
  }
};
test.each = eachOf(test);
describe.each = eachOf(describe);

const hook = name => run => suite.hooks[name].push(run);
export const [beforeAll, afterAll, beforeEach, afterEach] = HOOKS.map(hook);

const stubbed = new Map();
export const vi = {
  fn,
  stubGlobal(name, value) {
    if (!stubbed.has(name)) stubbed.set(name, Object.getOwnPropertyDescriptor(globalThis, name));
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  },
  unstubAllGlobals() {
    for (const [name, descriptor] of stubbed) {
      if (descriptor === undefined) delete globalThis[name];
      else Object.defineProperty(globalThis, name, descriptor);
    }
    stubbed.clear();
  }
};
