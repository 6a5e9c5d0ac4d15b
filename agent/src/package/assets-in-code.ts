import { findImports, startsStatement, type PythonImport } from './python-imports.js';
import { tokenizePython, type PythonToken } from './python-tokens.js';

/** Code that shares one set of names: the cells of a notebook, or one module. */
export interface CodeUnit {
  readonly path: string;
  readonly pieces: readonly { readonly where: string; readonly code: string }[];
}

export interface AssetUse {
  readonly name: string;
  readonly path: string;
  readonly where: string;
}

/** A read whose name is not literal, so that nobody can tell before the run what it reads. */
export interface ComputedUse {
  readonly path: string;
  readonly where: string;
  readonly text: string;
}

export interface CodeFindings {
  readonly uses: readonly AssetUse[];
  readonly computed: readonly ComputedUse[];
  readonly imports: readonly PythonImport[];
  /** Every literal text: some of them name files. */
  readonly literals: readonly string[];
}

const READERS = new Set(['read_csv', 'open', 'path']);

/** Finds `cloister.read_csv("a/b")`, `open` and `path`, under whatever names the code imports them. */
export function findAssets(unit: CodeUnit): CodeFindings {
  const pieces = unit.pieces.map(({ where, code }) => ({ where, tokens: tokenizePython(code) }));
  const imports = pieces.flatMap(({ tokens }) => findImports(tokens));
  const names = namesOfCloister(imports, pieces.flatMap(({ tokens }) => tokens));
  const found = pieces.flatMap(({ where, tokens }) => findReads(tokens, names).map(read => ({ ...read, path: unit.path, where: `${where}, line ${read.line}` })));
  return {
    uses: found.flatMap(({ name, path, where }) => (name === undefined ? [] : [{ name, path, where }])),
    computed: found.flatMap(({ name, path, where, text }) => (name === undefined ? [{ path, where, text }] : [])),
    imports,
    literals: pieces.flatMap(({ tokens }) => tokens.flatMap(token => (token.kind === 'string' && token.value !== undefined ? [token.value] : [])))
  };
}

/** What the code calls the module, and its functions. */
interface CloisterNames {
  readonly modules: ReadonlySet<string>;
  readonly readers: ReadonlySet<string>;
  /** `from cloister import *`: only calls are looked at, since `open` and `path` are ordinary words too. */
  readonly star: boolean;
}

function namesOfCloister(imports: readonly PythonImport[], tokens: readonly PythonToken[]): CloisterNames {
  const direct = imports.filter(item => item.module === 'cloister');
  const modules = new Set(direct.flatMap(item => (item.name === undefined ? [item.as] : [])));
  const readers = new Set(direct.flatMap(item => (item.name !== undefined && READERS.has(item.name) ? [item.as] : [])));
  tokens.forEach((token, at) => {
    if (token.kind !== 'name' || !startsStatement(tokens[at - 1]) || tokens[at + 1]?.text !== '=') return;
    const [value = '', dot, member = '', end] = tokens.slice(at + 2, at + 6).map(next => next.text);
    // `c = cloister`, `r = read_csv`, `r = cloister.read_csv`
    if (dot === '' && modules.has(value)) modules.add(token.text);
    if (dot === '' && readers.has(value)) readers.add(token.text);
    if (dot === '.' && end === '' && modules.has(value) && READERS.has(member)) readers.add(token.text);
  });
  return { modules, readers, star: direct.some(item => item.name === '*') };
}

interface Read {
  readonly name: string | undefined;
  readonly text: string;
  readonly line: number;
}

function findReads(tokens: readonly PythonToken[], names: CloisterNames): Read[] {
  const reads: Read[] = [];
  tokens.forEach((token, at) => {
    if (token.kind === 'string' && hidesRead(token, names)) reads.push({ name: undefined, text: token.text.slice(0, 80), line: token.line });
    if (token.kind !== 'name') return;
    const end = endOfReader(tokens, at, names);
    if (end === undefined) return;
    const called = tokens[end]?.text === '(';
    if (!called && (isImported(tokens, at) || isBound(tokens, at, end) || !isExplicit(token.text, names))) return;
    reads.push({ name: called ? literalArgument(tokens, end + 1) : undefined, text: textOf(tokens, at), line: token.line });
  });
  return reads;
}

/** Index behind `cloister.read_csv` or an imported `read_csv` that starts at `at`; undefined where none does. */
function endOfReader(tokens: readonly PythonToken[], at: number, names: CloisterNames): number | undefined {
  const text = tokens[at]?.text ?? '';
  if (tokens[at - 1]?.text === '.' || tokens[at - 1]?.text === 'def') return undefined;
  if (names.readers.has(text) || (names.star && READERS.has(text))) return at + 1;
  const member = tokens[at + 2];
  return names.modules.has(text) && tokens[at + 1]?.text === '.' && member?.kind === 'name' && READERS.has(member.text) ? at + 3 : undefined;
}

const isExplicit = (text: string, names: CloisterNames): boolean => names.modules.has(text) || names.readers.has(text);

/** The name stands in an import statement, where nothing is read. */
function isImported(tokens: readonly PythonToken[], at: number): boolean {
  const start = tokens.slice(0, at).findLastIndex(token => token.kind === 'end' || token.text === ';');
  const first = tokens[start + 1]?.text;
  return first === 'import' || first === 'from';
}

/** The name is given anew (`path = …`), or is given another name, which namesOfCloister follows. */
function isBound(tokens: readonly PythonToken[], at: number, end: number): boolean {
  const assigned = tokens[end]?.text === '=' && tokens[end + 1]?.text !== '=' && startsStatement(tokens[at - 1]);
  const aliased = tokens[at - 1]?.text === '=' && tokens[at - 2]?.kind === 'name' && startsStatement(tokens[at - 3]) && tokens[end]?.kind === 'end';
  return assigned || aliased;
}

/** The first argument, or `name=`, where it is nothing but literal text (adjacent literals are one). */
function literalArgument(tokens: readonly PythonToken[], from: number): string | undefined {
  let at = from;
  if (tokens[at]?.text === 'name' && tokens[at + 1]?.text === '=') at += 2;
  let name = '';
  for (; ; at += 1) {
    const token = tokens[at];
    if (token?.kind !== 'string') break;
    if (token.value === undefined) return undefined;
    name += token.value;
  }
  const closed = tokens[at]?.text === ',' || tokens[at]?.text === ')';
  return closed && at > from ? name : undefined;
}

/** An f-string is not looked into; one that seems to read an asset counts as computed. */
function hidesRead(token: PythonToken, names: CloisterNames): boolean {
  if (!/^[A-Za-z]*[ft]/i.test(token.text)) return false;
  const calls = [...[...names.modules].flatMap(module => [...READERS].map(reader => `${module}.${reader}(`)), ...[...names.readers].map(reader => `{${reader}(`)];
  return calls.some(call => token.text.includes(call));
}

function textOf(tokens: readonly PythonToken[], at: number): string {
  const end = tokens.slice(at).findIndex(token => token.kind === 'end' || token.text === '\n');
  return tokens
    .slice(at, at + Math.min(end < 0 ? 12 : end, 12))
    .map(token => token.text)
    .join('');
}
