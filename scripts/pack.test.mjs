// What somebody gets who installs the library: packed, put into a project that has nothing else, then run, compiled and bundled there.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

import { build } from 'esbuild';

import { packLibrary } from './pack/bare-project.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const EXAMPLES = join(ROOT, 'protocol/examples');
const HERE = join(ROOT, 'scripts/pack');
const README = readFileSync(join(ROOT, 'protocol/README.md'), 'utf8');
const KB = 1000;
/** Bytes of minified, gzipped ES modules, by the rows of the README's table: about a tenth above what was measured. */
const BUDGETS = {
  '`verifyAttestation`, for tokens that a key set verifies': 30 * KB,
  '`verifyAttestation`, with the certificates of PKI tokens': 67 * KB,
  '`verifyReport`, with the certificates': 83 * KB
};

const scratch = mkdtempSync(join(tmpdir(), 'cloister-pack-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const { files, install } = packLibrary(join(scratch, 'tarballs'));
const maker = install(join(scratch, 'maker'), ['@peculiar/x509', 'reflect-metadata']);
const bare = install(join(scratch, 'bare'));
const installed = join(bare, 'node_modules/@cloister/protocol');
for (const name of readdirSync(EXAMPLES)) copyFileSync(join(EXAMPLES, name), join(bare, name));
for (const name of ['consumer.mts', 'in-worker.js']) copyFileSync(join(HERE, name), join(bare, name));
for (const name of ['tester.mts', 'make-samples.mjs']) copyFileSync(join(HERE, name), join(maker, name));

function node(args, { cwd = bare, status = 0 } = {}) {
  const run = spawnSync(process.execPath, args, { cwd, encoding: 'utf8', env: { PATH: process.env.PATH } });
  assert.equal(run.status, status, `${args.join(' ')}\n${run.stdout}${run.stderr}`);
  return run.stdout;
}

node(['make-samples.mjs'], { cwd: maker });
const sample = name => join(maker, name);

test('the tarball holds what is documented, sources for its maps, and nothing of our tests', () => {
  const { exports, private: isPrivate, scripts } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  assert.equal(isPrivate, undefined);
  assert.deepEqual(Object.keys(scripts), ['prepack'], 'a script would run where it is installed');
  for (const entry of Object.values(exports)) {
    for (const target of typeof entry === 'string' ? [entry] : Object.values(entry)) assert.ok(existsSync(join(installed, target)), target);
  }
  for (const name of ['README.md', 'LICENSE']) assert.ok(files.includes(name), name);
  assert.equal(readFileSync(join(installed, 'LICENSE'), 'utf8'), readFileSync(join(ROOT, 'LICENSE'), 'utf8'));
  const strange = files.filter(path => !/^(lib|src)\/.*\.(ts|js|map)$|^examples\/[\w-]+\.js$|^(README\.md|LICENSE|package\.json)$/.test(path));
  assert.deepEqual([...strange, ...files.filter(path => /\.test\.|vectors|mutants|tsbuildinfo/.test(path))], []);
  for (const path of files.filter(name => name.endsWith('.map'))) {
    const { sources } = JSON.parse(readFileSync(join(installed, path), 'utf8'));
    for (const source of sources) assert.ok(existsSync(join(installed, dirname(path), source)), `${path} points at ${source}`);
  }
});

test('the examples of the README are the files that are run here', () => {
  const shown = [...README.matchAll(/^```(?:js|ts)\n(?:\/\/ examples\/([\w-]+\.js)\n)([\s\S]*?)^```$/gm)];
  const all = [...README.matchAll(/^```(?:js|ts)$/gm)];
  assert.ok(shown.length >= 2 && shown.length === all.length, 'every block of code names its file in its first line');
  for (const [, name, code] of shown) assert.equal(code, readFileSync(join(EXAMPLES, name), 'utf8'), name);
});

test('the README explains every check there is, in their order', () => {
  const ask = `
    import { ATTESTATION_CHECK_IDS } from '@cloister/protocol/attestation';
    import { verifyReport } from '@cloister/protocol/report';
    const { checks } = await verifyReport({}, { trust: { v: 1, owners: [], verifiers: [], images: [] }, now: new Date() });
    console.log(JSON.stringify({ token: ATTESTATION_CHECK_IDS, report: checks.map(check => check.id).filter(id => !ATTESTATION_CHECK_IDS.includes(id)) }));`;
  const { token, report } = JSON.parse(node(['--input-type=module', '--eval', ask]));
  const section = title => README.slice(README.indexOf(`\n## ${title}\n`)).slice(1).split('\n## ')[0];
  const explained = text => [...text.matchAll(/^\| `(\w+)` \| \S/gm)].map(row => row[1]);
  assert.deepEqual(explained(section('What the checks of a token mean')), token);
  assert.deepEqual(explained(section('Reports')), report);
});

test('the first example runs in a project that has nothing else, and accepts its token', () => {
  const lines = node(['verify-token.js']).trim().split('\n');
  assert.equal(lines.at(-1), 'accepted');
  assert.ok(lines.slice(0, -1).every(line => line.startsWith('pass ')), lines.join('\n'));
});

test('a token in a file: Google by keys, Intel, and what is refused', () => {
  const expect = { audience: 'https://gate.example', nonce: 'one nonce of many', image: `sha256:${'5a'.repeat(32)}`, project: 'my-project' };
  for (const verifier of ['google', 'intel']) {
    const mint = `
      import { writeFileSync } from 'node:fs';
      import { mintTestToken } from './mint-test-token.js';
      const { token, jwks } = await mintTestToken(${JSON.stringify({ ...expect, verifier })});
      writeFileSync('token.jwt', token);
      writeFileSync('jwks.json', jwks);`;
    node(['--input-type=module', '--eval', mint]);
    writeFileSync(join(bare, 'expect.json'), JSON.stringify({ ...expect, verifier }));
    writeFileSync(join(bare, 'other.json'), JSON.stringify({ ...expect, verifier, nonce: 'another nonce' }));
    assert.equal(node(['verify-token-file.js', 'token.jwt', 'expect.json', 'jwks.json']), 'accepted\n');
    assert.match(node(['verify-token-file.js', 'token.jwt', 'other.json', 'jwks.json'], { status: 1 }), /^fail nonce .*\nrefused\n$/);
  }
  const pki = node(['verify-token-file.js', sample('pki-token.jwt'), sample('pki-expect.json')], { status: 1 });
  assert.match(pki, /^fail key .*the root is not a pinned one.*\nskipped signature .*\nrefused\n$/, 'a chain to a root that is not Google’s');
});

test('a report by a simulator is verified as simulated, and a changed one fails', () => {
  // 0 is for verified alone.
  const verdict = report => node(['verify-report.js', report, sample('trust.json'), sample('policy.json')], { status: 1 }).trim().split('\n').at(-1);
  assert.equal(verdict(sample('report.json')), 'simulated');
  const report = JSON.parse(readFileSync(sample('report.json'), 'utf8'));
  writeFileSync(join(bare, 'changed.json'), JSON.stringify({ ...report, receipts: report.receipts.slice(1) }));
  assert.equal(verdict(join(bare, 'changed.json')), 'failed');
});

test('a CommonJS program requires it', () => {
  const program = "const { verifyAttestation } = require('@cloister/protocol/attestation'); console.log(typeof verifyAttestation);";
  assert.equal(node(['--input-type=commonjs', '--eval', program]), 'function\n');
});

/** Compiles files by the strictest options; declarations of the library and of its dependencies are checked too. */
function compile(cwd, moduleResolution, files) {
  const module = moduleResolution === 'Bundler' ? 'ESNext' : moduleResolution;
  const options = { module, moduleResolution, target: 'ES2022', lib: ['ES2022', 'DOM'], types: [], strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: false, allowJs: true, checkJs: true, noEmit: true };
  writeFileSync(join(cwd, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files }));
  node([join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', '.'], { cwd });
}

for (const resolution of ['NodeNext', 'Bundler']) {
  test(`types: a strict program and the examples compile under ${resolution}`, () => {
    compile(bare, resolution, ['consumer.mts', 'verify-token.js', 'pin-verifiers.js', 'mint-test-token.js']);
  });
}

test('types: a test that mints tokens compiles where the optional peers are installed', () => {
  compile(maker, 'NodeNext', ['tester.mts']);
});

/** Names that only Node has, and those that a worker does not have. A use of the global is renamed; a member of that name is not. */
const FOREIGN = ['process', 'Buffer', 'global', 'require', 'module', '__dirname', '__filename', 'setImmediate', 'window', 'document', 'localStorage', 'XMLHttpRequest', 'fetch', 'eval', 'WebSocket'];
const RENAMED = Object.fromEntries(FOREIGN.map(name => [name, `FOREIGN_${name}`]));

const bundle = (entry, options) =>
  build({ ...entry, absWorkingDir: bare, bundle: true, minify: true, write: false, metafile: true, platform: 'browser', target: 'es2022', logLevel: 'silent', ...options });

for (const conditions of [[], ['worker'], ['@cloister/source']]) {
  test(`bundled for ${conditions[0] ?? 'browser'}, it needs no built-in of Node and runs without any`, async () => {
    const { outputFiles, metafile } = await bundle({ entryPoints: ['in-worker.js'] }, { format: 'iife', conditions, define: RENAMED });
    const [{ text }] = outputFiles;
    assert.deepEqual(Object.values(metafile.outputs).flatMap(output => output.imports), [], 'it imports something at run time');
    // One package falls back to Buffer where `btoa` is missing, which no browser lacks; that the run below has none shows that it is not reached.
    const known = await bundle({ entryPoints: ['in-worker.js'] }, { format: 'esm', conditions, define: RENAMED, external: ['pvtsutils'] });
    assert.deepEqual([...new Set(known.outputFiles[0].text.match(/FOREIGN_\w+/g))], []);
    assert.equal(Object.keys(metafile.inputs).some(path => path.includes('@cloister/protocol/src/')), conditions[0] === '@cloister/source');
    writeFileSync(join(bare, 'bundle.js'), text);
    writeFileSync(join(bare, 'without-node.cjs'), `
      const pki = JSON.parse(require('node:fs').readFileSync(${JSON.stringify(sample('pki.json'))}, 'utf8'));
      const code = require('node:fs').readFileSync('bundle.js', 'utf8');
      const log = console.log;
      const run = new (require('node:vm').Script)(code);
      for (const name of ['process', 'Buffer', 'global', 'setImmediate', 'clearImmediate', 'fetch', 'WebSocket']) delete globalThis[name];
      run.runInThisContext();
      globalThis.verifyAll(pki).then(result => log(JSON.stringify(result)));`);
    const result = JSON.parse(node(['--disallow-code-generation-from-strings', 'without-node.cjs']));
    assert.deepEqual(result, {
      keys: { accepted: true, failed: [] },
      otherKeys: { accepted: false, failed: ['key', 'signature'] },
      certificates: { accepted: true, failed: [] },
      otherCertificates: { accepted: false, failed: ['key', 'signature'] }
    });
  });
}

/** Gzipped sizes of what a page loads at once, and of what it loads only for tokens with certificates. */
async function sizesOf(code) {
  const { outputFiles, metafile } = await bundle({ stdin: { contents: code, resolveDir: bare } }, { format: 'esm', splitting: true, outdir: 'out' });
  const gzipped = new Map(outputFiles.map(({ path, contents }) => [basename(path), gzipSync(contents, { level: 9 }).length]));
  const outputs = new Map(Object.entries(metafile.outputs).map(([path, output]) => [basename(path), output]));
  const atOnce = new Set(['stdin.js']);
  for (const name of atOnce) {
    for (const { path, kind } of outputs.get(name).imports) if (kind === 'import-statement') atOnce.add(basename(path));
  }
  // What was looked at and left out is among the inputs of no output, or with no bytes.
  const inputs = [...outputs.values()].flatMap(output => Object.entries(output.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path));
  const sum = names => names.reduce((total, name) => total + gzipped.get(name), 0);
  return { atOnce: sum([...atOnce]), all: sum([...gzipped.keys()]), inputs };
}

test('its size keeps to the budgets that the README names, from either entry', async t => {
  const [byKeys, byCertificates, report] = Object.values(BUDGETS);
  for (const entry of ['@cloister/protocol', '@cloister/protocol/attestation']) {
    const { atOnce, all, inputs } = await sizesOf(`export { verifyAttestation } from '${entry}';`);
    t.diagnostic(`${entry}: ${atOnce} bytes, with certificates ${all}`);
    assert.ok(atOnce <= byKeys, `${entry}: ${atOnce}`);
    assert.ok(all <= byCertificates, `${entry}: ${all}`);
    assert.ok(all - atOnce > 10 * KB, 'certificates are not loaded late');
    assert.deepEqual(inputs.filter(path => /age-encryption|@noble\/(ciphers|curves|post-quantum)|reflect-metadata|\/testing\//.test(path)), []);
  }
  const { all } = await sizesOf("export { verifyReport } from '@cloister/protocol/report';");
  t.diagnostic(`verifyReport: ${all} bytes`);
  assert.ok(all <= report, `verifyReport: ${all}`);
  const named = Object.fromEntries([...README.matchAll(/^\| (`verify.*) \| (\d+) kB \|$/gm)].map(([, row, size]) => [row, Number(size) * KB]));
  assert.deepEqual(named, BUDGETS);
});
