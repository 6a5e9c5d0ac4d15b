// `npm pack` in protocol/: makes lib/ exactly what src/ says. The compiler never takes away what a deleted source left behind.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGE = join(dirname(dirname(fileURLToPath(import.meta.url))), 'protocol');
const LIB = join(PACKAGE, 'lib');

/** The source of a built file, or undefined where none is published. */
function sourceOf(built) {
  const source = built.replace(/\.(d\.ts|js)(\.map)?$/, '.ts');
  return source === built || source.startsWith('vectors/') || source.startsWith('mutants/') || source.endsWith('.test.ts') ? undefined : join(PACKAGE, 'src', source);
}

if (existsSync(LIB)) {
  for (const built of readdirSync(LIB, { recursive: true, withFileTypes: true })) {
    const path = join(built.parentPath, built.name).slice(LIB.length + 1);
    if (!built.isFile() || path === '.tsbuildinfo') continue;
    const source = sourceOf(path);
    if (source === undefined || !existsSync(source)) rmSync(join(LIB, path));
  }
}
execFileSync('tsc', ['-b', PACKAGE], { stdio: 'inherit' });
