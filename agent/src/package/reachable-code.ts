import { posix } from 'node:path';
import { findAssets, type AssetUse, type CodeUnit, type ComputedUse } from './assets-in-code.js';
import type { PythonImport } from './python-imports.js';

export interface CodeSource {
  /** Paths of all files that travel along. */
  readonly paths: ReadonlySet<string>;
  /** The Python of a file: a notebook's cells, a module's text. Undefined where it is no Python. */
  readonly read: (path: string) => CodeUnit | undefined;
}

export interface ReachableCode {
  readonly uses: readonly AssetUse[];
  readonly computed: readonly ComputedUse[];
  /** Why a file is needed, for those that the code names. */
  readonly reasons: ReadonlyMap<string, string>;
}

/**
 * Follows the code from the notebook: imports of modules beside it, and files that literal texts name. Only code that
 * is reached is asked for assets, so that a test or a draft in the same folder does not add inputs to a job.
 */
export function followCode(entry: string, source: CodeSource): ReachableCode {
  const reasons = new Map<string, string>([[entry, 'the notebook that runs']]);
  const uses: AssetUse[] = [];
  const computed: ComputedUse[] = [];
  const waiting = [entry];
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
    const unit = source.read(path);
    if (unit === undefined) continue;
    const found = findAssets(unit);
    uses.push(...found.uses);
    computed.push(...found.computed);
    const needed = [
      ...found.imports.flatMap(item => filesOfImport(item, path, source.paths).map(file => [file, `imported by ${unit.path}`] as const)),
      ...found.literals.flatMap(text => fileOfLiteral(text, path, source.paths).map(file => [file, `named in ${unit.path}`] as const))
    ];
    for (const [file, why] of needed) {
      if (reasons.has(file)) continue;
      reasons.set(file, why);
      waiting.push(file);
    }
  }
  return { uses, computed, reasons };
}

/** `import a.b` reaches a/__init__.py and a/b.py, whichever exist; relative ones start at the importing file. */
function filesOfImport({ module, name }: PythonImport, from: string, paths: ReadonlySet<string>): string[] {
  const dots = /^\.*/.exec(module)?.[0].length ?? 0;
  const base = dots === 0 ? '.' : posix.join(posix.dirname(from), ...Array.from({ length: dots - 1 }, () => '..'));
  const names = [...module.slice(dots).split('.'), ...(name === undefined || name === '*' ? [] : [name])].filter(part => part !== '');
  const stems = [base, ...names.map((_, at) => posix.join(base, ...names.slice(0, at + 1)))];
  return stems.flatMap(stem => [`${stem}.py`, posix.join(stem, '__init__.py')]).filter(path => paths.has(path));
}

/** A text that is the path of a file, from the notebook's folder or from the file that names it. */
function fileOfLiteral(text: string, from: string, paths: ReadonlySet<string>): string[] {
  if (text === '' || text.length > 512) return [];
  return [...new Set([posix.normalize(text), posix.join(posix.dirname(from), text)])].filter(path => paths.has(path));
}
