// Builds python/cloister/agent/: the agent as one file, which the Python package brings along, and the licences of what
// is in it. Node comes from the user's system, so nothing native may get into the bundle.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { licenceTexts } from './licences.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Bundle the agent of the checkout `root` into `out`, replaced in one step. Throws where a package that is compiled for
 * one machine would have to come along. Resolves to `{ bytes, packages }`.
 */
export async function buildAgent({ root = ROOT, entry = join(root, 'agent/src/main.ts'), out = join(root, 'python/cloister/agent') } = {}) {
  mkdirSync(dirname(out), { recursive: true });
  const work = mkdtempSync(join(dirname(out), '.agent-'));
  try {
    const made = join(work, 'new');
    mkdirSync(made);
    const inputs = await bundle({ root, entry, outfile: join(made, 'agent.mjs') });
    refuseNative(join(made, 'agent.mjs'), inputs);
    const { text, packages } = licenceTexts(root, inputs);
    writeFileSync(join(made, 'THIRD-PARTY-LICENSES.txt'), text);
    if (existsSync(out)) renameSync(out, join(work, 'old'));
    renameSync(made, out);
    return { bytes: readFileSync(join(out, 'agent.mjs')).length, packages };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function bundle({ root, entry, outfile }) {
  const { build } = await import('esbuild');
  const { metafile } = await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    metafile: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['@cloister/source'],
    absWorkingDir: root,
    legalComments: 'none',
    charset: 'utf8',
    logLevel: 'silent',
    // ws takes these where they are installed; it does as well without, and they are native.
    external: ['bufferutil', 'utf-8-validate'],
    tsconfigRaw: { compilerOptions: { target: 'ES2022', useDefineForClassFields: true, verbatimModuleSyntax: true } },
    // A bundled CommonJS dependency calls require() for Node's own modules, which an ES module lacks.
    // `ws` would look for native helpers in every node_modules above the bundle, which may be somebody else's folder.
    define: { 'process.env.WS_NO_BUFFER_UTIL': '"1"', 'process.env.WS_NO_UTF_8_VALIDATE': '"1"' },
    banner: { js: "import { createRequire as nodeRequire } from 'node:module';\nconst require = nodeRequire(import.meta.url);" }
  });
  // What was looked at and left out again is not in the bundle.
  const [{ inputs }] = Object.values(metafile.outputs);
  return Object.keys(inputs).filter(path => inputs[path].bytesInOutput > 0);
}

/** A native module is looked for beside the bundle when it runs, and is not there: better known here than there. */
function refuseNative(file, inputs) {
  const culprits = inputs.filter(path => /(^|\/)node_modules\/(better-sqlite3|bindings|node-gyp-build)\//.test(path) || path.endsWith('.node'));
  if (culprits.length > 0) throw new Error(`a native module would come along: ${culprits[0]}`);
  const bare = [...readFileSync(file, 'utf8').matchAll(/^import .* from "([^".][^"]*)";$/gm)].map(match => match[1]);
  const missing = bare.filter(name => !name.startsWith('node:') && !NODE_MODULES.has(name));
  if (missing.length > 0) throw new Error(`the bundle would need packages that it does not bring: ${missing.join(', ')}`);
}

const NODE_MODULES = new Set(builtinModules);

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    const { bytes, packages } = await buildAgent();
    process.stdout.write(`agent.mjs: ${Math.round(bytes / 1000)} kB, ${packages} packages\n`);
  } catch (error) {
    process.stderr.write(`The agent was not bundled: ${error.message}\n`);
    process.exitCode = 1;
  }
}
