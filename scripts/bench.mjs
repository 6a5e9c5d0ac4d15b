// `npm run bench [-- ID...]`: sets up what is missing, then measures. One JSON document on stdout, all else on stderr.
// `--built` measures what is built already, for whoever is in the middle of a change.
import { spawnSync } from 'node:child_process';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
// Below node_modules, so that packages are found from there, and that `npm run reset` removes it.
const OUTDIR = join(ROOT, 'node_modules/.cloister-bench');

const args = process.argv.slice(2);
const ids = args.filter(arg => arg !== '--built');

if (ids.length === args.length) {
  const { status } = spawnSync(process.execPath, [join(ROOT, 'scripts/setup.mjs'), '--quiet'], { stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}
await compile();
const { main } = await import(pathToFileURL(join(OUTDIR, 'main.mjs')).href);
process.exitCode = await main({ root: ROOT, compiled: OUTDIR, ids });

/** bench/ alone is compiled here. What it measures is the build of each package, as it is deployed. */
async function compile() {
  const { build } = await import('esbuild');
  await build({
    entryPoints: ['main', 'open-sealed'].map(name => join(ROOT, `bench/src/${name}.ts`)),
    outdir: OUTDIR,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    sourcemap: 'inline',
    logLevel: 'warning',
    plugins: [{ name: 'built-parts', setup: ({ onResolve }) => onResolve({ filter: /^\.\.\/.*\/(src|scripts)\// }, outsidePart) }]
  });
}

/**
 * Parts that a package does not export are imported by their source, for its types; what runs is what was built of it.
 * Scripts of the checkout run where they lie, since they find others by their own place.
 */
function outsidePart({ path, resolveDir }) {
  const file = resolve(resolveDir, path);
  const [, folder, rest] = /^([^/]+)\/src\/(.*)$/.exec(relative(ROOT, file)) ?? [];
  if (folder === 'bench') return undefined;
  return { path: folder === undefined ? file : join(ROOT, folder, 'lib', rest), external: true };
}
