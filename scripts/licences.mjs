// The licences of npm packages that a bundle holds, as their terms ask: the text goes where the code goes.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @param root checkout
 * @param inputs the bundle's source files, relative to `root`, as esbuild's metafile names them
 * @returns `text` for a file beside the bundle, and how many `packages` it names
 * @throws Error where a package comes without a licence: it may not be handed on
 */
export function licenceTexts(root, inputs) {
  const folders = [...new Set(inputs.map(packageFolder).filter(folder => folder !== undefined))].sort();
  const entries = folders.map(folder => describe(join(root, folder)));
  return { text: `${entries.join(`\n\n${'-'.repeat(78)}\n\n`)}\n`, packages: folders.length };
}

/** The innermost package that the file belongs to; undefined for our own sources. */
function packageFolder(path) {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0];
}

function describe(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find(entry => /^(licen[cs]e|copying)/i.test(entry));
  if (license === undefined && file === undefined) throw new Error(`${name} has no licence`);
  const text = file === undefined ? '' : `\n\n${readFileSync(join(folder, file), 'utf8').trim()}`;
  return `${name} ${version}: ${typeof license === 'string' ? license : 'see its licence'}${text}`;
}
