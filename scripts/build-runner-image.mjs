// Builds runner/image/: what a TEE runs. Its digest is what owners list in their policies, so the same sources must give
// the same bytes on every machine, whatever the checkout is called and whenever it was made.
//
//   image.json         entry point and launch rules, as labels of a container image would state them
//   runner.mjs         the runner and all it imports, one file
//   driver/            the Python that drives, confines and probes the notebook's kernel
//   python/cloister/   the module that notebooks import
//   requirements.lock  the exact packages of the notebook's environment
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

const IMAGE = {
  v: 1,
  entrypoint: ['node', 'runner.mjs'],
  allowEnvOverride: ['CLOISTER_SERVER', 'CLOISTER_JOB', 'CLOISTER_ATTEMPT', 'CLOISTER_GATEWAY', 'CLOISTER_PYTHON'],
  cmdOverride: false,
  logRedirect: 'never'
};

/** Parts of the Python package that the analyst's Jupyter runs. Less in the image is less to trust in it. */
const BESIDE_JUPYTER = new Set(['jupyter', 'agent', 'labextension']);

/**
 * Build the image of the checkout `root` into `out`, from the runner's `entry` file. An image that is there already is
 * replaced in one step, or left alone where the new one has the same bytes. Resolves to `{ changed, files }`.
 */
export async function buildRunnerImage({ root = ROOT, entry = join(root, 'runner/src/main.ts'), out = join(root, 'runner/image') } = {}) {
  const work = mkdtempSync(join(dirname(out), '.image-'));
  try {
    const image = join(work, 'new');
    mkdirSync(image);
    await bundle({ root, entry, outfile: join(image, 'runner.mjs') });
    copyPython(join(root, 'python/runner'), join(image, 'driver'));
    copyPython(join(root, 'python/cloister'), join(image, 'python/cloister'), BESIDE_JUPYTER);
    copyFileSync(join(root, 'python/requirements.lock'), join(image, 'requirements.lock'));
    writeFileSync(join(image, 'image.json'), canonical(IMAGE));
    const files = filesBelow(image);
    const changed = !sameTree(image, out, files);
    if (changed) swap(image, out, join(work, 'old'));
    return { changed, files };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function bundle({ root, entry, outfile }) {
  const { build } = await import('esbuild');
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['@cloister/source'],
    // Paths in the output are relative to this folder, so the name of the checkout does not get into it.
    absWorkingDir: root,
    legalComments: 'none',
    sourcemap: false,
    minify: false,
    charset: 'utf8',
    logLevel: 'silent',
    // No tsconfig of the machine may change the output.
    tsconfigRaw: { compilerOptions: { target: 'ES2022', useDefineForClassFields: true, verbatimModuleSyntax: true } },
    // A bundled CommonJS dependency calls require() for Node's own modules, which an ES module lacks.
    banner: { js: "import { createRequire as nodeRequire } from 'node:module';\nconst require = nodeRequire(import.meta.url);" }
  });
}

/** Copy Python sources; never compiled files, which carry times, nor links, which lead out of what is measured. */
function copyPython(from, to, without = new Set()) {
  mkdirSync(to, { recursive: true });
  for (const item of readdirSync(from, { withFileTypes: true })) {
    if (without.has(item.name)) continue;
    const source = join(from, item.name);
    if (item.isSymbolicLink()) throw new Error(`${source} is a link: the image holds files alone.`);
    if (item.isDirectory()) {
      if (item.name !== '__pycache__') copyPython(source, join(to, item.name));
    } else if (item.name.endsWith('.py') || item.name === 'py.typed' || isExecutable(source)) {
      copyFileSync(source, join(to, item.name));
    }
  }
}

/** The refusing `pip` and its like have no ending; copyFileSync keeps their mode. */
function isExecutable(file) {
  return (statSync(file).mode & 0o111) !== 0;
}

function swap(image, out, old) {
  if (existsSync(out)) renameSync(out, old);
  renameSync(image, out);
}

function sameTree(image, out, files) {
  if (!existsSync(out)) return false;
  const there = filesBelow(out);
  return (
    there.join('\n') === files.join('\n') && files.every(file => readFileSync(join(image, file)).equals(readFileSync(join(out, file))))
  );
}

/** Paths of everything below `folder` that is not a folder, sorted. */
function filesBelow(folder) {
  const paths = readdirSync(folder, { recursive: true }).filter(path => !lstatSync(join(folder, path)).isDirectory());
  return paths.sort();
}

/** RFC 8785 for objects of strings, booleans, small integers and arrays: sorted members, no blanks. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object') return JSON.stringify(value);
  return `{${Object.keys(value)
    .sort()
    .map(key => `${JSON.stringify(key)}:${canonical(value[key])}`)
    .join(',')}}`;
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { entry: { type: 'string' }, out: { type: 'string' } } });
  const given = Object.fromEntries(Object.entries(values).map(([key, path]) => [key, resolve(path)]));
  try {
    const { changed, files } = await buildRunnerImage(given);
    process.stdout.write(`${basename(given.out ?? 'runner/image')}: ${files.length} files, ${changed ? 'built' : 'unchanged'}\n`);
  } catch (error) {
    process.stderr.write(`The runner image was not built: ${error.message}\n`);
    process.exitCode = 1;
  }
}
