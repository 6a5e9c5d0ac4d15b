// Builds report-page/lib/bundle/: the verifier and the view as one script, its style, and the licences of what is in it.
// `cloister report export --html` puts them into every page.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

import { licenceTexts } from './licences.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** Compressed; what a page weighs besides the report. */
const MOST_BYTES = 120_000;

/**
 * Bundle the page of the checkout `root` into `out`, replaced in one step. Throws where it would be too large, or could not be
 * put into HTML as it is. Resolves to `{ bytes, gzipped, packages }`.
 */
export async function buildReportPageParts({ root = ROOT, out = join(root, 'report-page/lib/bundle') } = {}) {
  mkdirSync(dirname(out), { recursive: true });
  const work = mkdtempSync(join(dirname(out), '.bundle-'));
  try {
    const made = join(work, 'new');
    mkdirSync(made);
    const inputs = await bundle(root, made);
    const script = readFileSync(join(made, 'page.js'), 'utf8');
    const style = readFileSync(join(made, 'page.css'), 'utf8');
    refuseUnfit(script, style);
    const { text, packages } = licenceTexts(root, inputs);
    writeFileSync(join(made, 'licences.txt'), text);
    const gzipped = gzipSync(script + style, { level: 9 }).length;
    if (gzipped > MOST_BYTES) throw new Error(`the page’s program has ${gzipped} bytes compressed, more than ${MOST_BYTES}`);
    if (existsSync(out)) renameSync(out, join(work, 'old'));
    renameSync(made, out);
    return { bytes: script.length + style.length, gzipped, packages };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function bundle(root, outdir) {
  const { build } = await import('esbuild');
  const { metafile } = await build({
    entryPoints: { page: join(root, 'report-page/src/page/main.ts') },
    outdir,
    bundle: true,
    minify: true,
    metafile: true,
    platform: 'browser',
    format: 'iife',
    target: 'es2022',
    conditions: ['@cloister/source'],
    absWorkingDir: root,
    legalComments: 'none',
    // The page is one file that may be saved anew by anything: its hash must not hang on an encoding.
    charset: 'ascii',
    logLevel: 'silent',
    tsconfigRaw: { compilerOptions: { target: 'ES2022', useDefineForClassFields: true, verbatimModuleSyntax: true } }
  });
  await build({ entryPoints: { page: join(root, 'report-page/src/page/page.css') }, outdir, bundle: true, minify: true, charset: 'ascii', absWorkingDir: root, logLevel: 'silent' });
  const [{ inputs }] = Object.values(metafile.outputs);
  return Object.keys(inputs).filter(path => inputs[path].bytesInOutput > 0);
}

/** What the page's policy forbids, or what would end its element, is better known here than in a reader's browser. */
function refuseUnfit(script, style) {
  if (/<\/(script|style)|<!--|[\r\0]/i.test(script + style)) throw new Error('the page’s program holds what ends an HTML element');
  if (/url\(|@import/i.test(style)) throw new Error('the page’s style would load something');
  const forbidden = /\b(fetch|XMLHttpRequest|WebSocket|EventSource|sendBeacon|importScripts)\b\s*\(|\beval\(|\.innerHTML|\.outerHTML|insertAdjacentHTML|document\.write/.exec(script);
  if (forbidden !== null) throw new Error(`the page’s program uses ${forbidden[0]}`);
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    const { bytes, gzipped, packages } = await buildReportPageParts();
    process.stdout.write(`report page: ${Math.round(bytes / 1000)} kB, ${Math.round(gzipped / 1000)} kB compressed, ${packages} packages\n`);
  } catch (error) {
    process.stderr.write(`The report page was not built: ${error.message}\n`);
    process.exitCode = 1;
  }
}
