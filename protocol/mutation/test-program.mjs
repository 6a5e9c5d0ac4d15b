// The mutated sources and their tests as one program, which is compiled once and started afresh for every mutant: what one
// mutant leaves behind in a module, no other sees. Packages are loaded once, and keys are made once.
import { build } from 'esbuild';
import { readFileSync, readdirSync } from 'node:fs';
import { Script } from 'node:vm';
import * as testApi from './test-api.mjs';

export const FOLDERS = ['attestation', 'report', 'policy'];
const VECTORS = 'committed-vectors';

/** The committed vectors are run as protocol/vectors/README.md says. */
const VECTOR_TESTS = `
  import { expect, test } from 'vitest';
  import { files } from '${VECTORS}';
  import { resolveShared } from './src/vectors/format.js';
  import { runOperation } from './src/vectors/operations/index.js';
  for (const { name, cases, shared } of files) {
    test.each(cases)(name + ': $name', async ({ operation, input, expect: expected }) => {
      expect(await runOperation(operation, resolveShared(input, shared ?? {}))).toEqual(expected);
    });
  }`;

function filesIn(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesIn(path) : [path];
  });
}

function entryOf(sources, tests) {
  // Mutated modules first: what they do when they are loaded belongs to no test.
  const loads = sources.map(path => `require('./${path}');`);
  // Vectors first: they need no setting up.
  const files = [`'vectors': () => require('vectors-test')`, ...tests.map(path => `'${path}': () => require('./${path}')`)];
  return `${loads.join('\n')}\nmodule.exports = { ${files.join(', ')} };`;
}

const vectorTests = {
  name: 'vector-tests',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^vectors-test$/ }, ({ path }) => ({ path, namespace: 'vectors' }));
    onLoad({ filter: /.*/, namespace: 'vectors' }, () => ({ contents: VECTOR_TESTS, resolveDir: process.cwd() }));
  }
};

/** Compiles what is in the working directory, which is the mutated copy of protocol/. */
export async function createTestProgram() {
  const all = FOLDERS.flatMap(folder => filesIn(`src/${folder}`)).filter(path => path.endsWith('.ts'));
  const isTest = path => path.endsWith('.test.ts');
  const { outputFiles, metafile } = await build({
    stdin: { contents: entryOf(all.filter(path => !isTest(path)), all.filter(isTest)), resolveDir: process.cwd() },
    bundle: true,
    write: false,
    metafile: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    plugins: [vectorTests],
    supported: { 'dynamic-import': false },
    logLevel: 'error'
  });
  const packages = await loadPackages(metafile);
  const start = new Script(`(function (require, module, exports) {${outputFiles[0].text}\n})`, { filename: 'mutated-protocol.cjs' }).runInThisContext();
  return {
    /** Starts the program; @returns by name how each test file is run */
    start() {
      used.clear();
      const module = { exports: {} };
      start(name => packages.get(name), module, module.exports);
      return module.exports;
    }
  };
}

async function loadPackages({ outputs }) {
  const packages = new Map([['vitest', testApi], [VECTORS, { files: committedVectors() }]]);
  for (const { path } of Object.values(outputs).flatMap(({ imports }) => imports)) {
    if (!packages.has(path)) packages.set(path, await import(path));
  }
  return packages;
}

function committedVectors() {
  return readdirSync('vectors')
    .filter(name => name.endsWith('.json') && name !== 'fixtures.json')
    .map(name => ({ name, ...JSON.parse(readFileSync(`vectors/${name}`, 'utf8')) }));
}

const generateKey = crypto.subtle.generateKey.bind(crypto.subtle);
const made = new Map();
const used = new Map();
let user = '';

/** Whose keys are made from now on: of each test file the n-th key of a kind is the same one, after every start. */
export const makeKeysFor = fileName => void (user = fileName);

// An RSA key takes a hundred times as long as all else in a test.
crypto.subtle.generateKey = (algorithm, extractable, usages) => {
  const kind = JSON.stringify([algorithm, extractable, usages]);
  const place = `${user} ${kind}`;
  const number = used.get(place) ?? 0;
  used.set(place, number + 1);
  const keys = made.get(kind) ?? [];
  made.set(kind, keys);
  return (keys[number] ??= generateKey(algorithm, extractable, usages));
};
