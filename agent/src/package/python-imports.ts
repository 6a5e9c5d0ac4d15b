import type { PythonToken } from './python-tokens.js';

/** One imported module: `module` dotted, with leading dots where relative; `name` what `from … import name` takes. */
export interface PythonImport {
  readonly module: string;
  readonly name?: string;
  /** The name that it is bound to; `*` for all public names. */
  readonly as: string;
}

/** Import statements, wherever they stand. */
export function findImports(tokens: readonly PythonToken[]): PythonImport[] {
  const imports: PythonImport[] = [];
  tokens.forEach((token, at) => {
    if (token.kind !== 'name' || !startsStatement(tokens[at - 1])) return;
    const statement = statementFrom(tokens, at + 1);
    if (token.text === 'import') imports.push(...plainImports(statement));
    if (token.text === 'from') imports.push(...fromImports(statement));
  });
  return imports;
}

/** Whether a token after this one starts a statement. */
export function startsStatement(previous: PythonToken | undefined): boolean {
  return previous === undefined || previous.kind === 'end' || (previous.kind === 'operator' && [';', ':'].includes(previous.text));
}

/** The texts up to the end of the statement, without brackets. */
function statementFrom(tokens: readonly PythonToken[], from: number): string[] {
  const texts: string[] = [];
  for (const token of tokens.slice(from)) {
    if (token.kind === 'end' || token.kind === 'string' || token.text === ';') break;
    if (token.text !== '(' && token.text !== ')' && token.text !== '\n') texts.push(token.text);
  }
  return texts;
}

/** `a.b as c, d` */
function plainImports(texts: readonly string[]): PythonImport[] {
  return splitAtCommas(texts).flatMap(item => {
    const { path, as } = splitAlias(item);
    // `import a.b` binds `a`; with `as` the alias is the innermost module.
    return path === '' ? [] : [{ module: path, as: as ?? path.split('.')[0] ?? path }];
  });
}

/** `.a.b import c as d, e` */
function fromImports(texts: readonly string[]): PythonImport[] {
  const at = texts.indexOf('import');
  const module = texts.slice(0, Math.max(0, at)).join('');
  if (module === '') return [];
  return splitAtCommas(texts.slice(at + 1)).flatMap(item => {
    const { path, as } = splitAlias(item);
    return path === '' ? [] : [{ module, name: path, as: as ?? path }];
  });
}

function splitAlias(texts: readonly string[]): { path: string; as: string | undefined } {
  const at = texts.indexOf('as');
  return at < 0 ? { path: texts.join(''), as: undefined } : { path: texts.slice(0, at).join(''), as: texts[at + 1] };
}

function splitAtCommas(texts: readonly string[]): string[][] {
  const items: string[][] = [[]];
  for (const text of texts) {
    if (text === ',') items.push([]);
    else items.at(-1)?.push(text);
  }
  return items;
}
