import * as z from 'zod/mini';
import { AppError, parseJson, type Json } from '@cloister/protocol';
import type { CodeUnit } from './assets-in-code.js';
import type { TextPiece } from './likely-secrets.js';

const Source = z.union([z.string(), z.array(z.string())]);
const Notebook = z.looseObject({
  nbformat: z.number(),
  cells: z.array(z.looseObject({ cell_type: z.string(), source: Source }))
});
type Notebook = z.infer<typeof Notebook>;

/** @throws AppError notebook_not_json */
export function parseNotebookJson(path: string, content: Uint8Array): Json {
  try {
    return parseJson(content);
  } catch (cause) {
    throw new AppError('notebook_not_json', `${path} is not JSON`, { cause });
  }
}

/** The code cells as one unit: they share their names. Expects a notebook that canonicalNotebook has accepted. */
export function codeOfNotebook(path: string, notebook: Json): CodeUnit {
  const cells = cellsOf(notebook).map((cell, at) => ({ ...cell, where: `cell ${at + 1}` }));
  return {
    path,
    pieces: cells.filter(cell => cell.type === 'code').map(({ where, text }) => ({ where, code: pythonOfCell(text) }))
  };
}

/** Every cell's text, to be looked through by a person's eye or for likely secrets. */
export function textOfNotebook(notebook: Json): TextPiece[] {
  return cellsOf(notebook).map(({ text }, at) => ({ where: `cell ${at + 1}`, text }));
}

function cellsOf(notebook: Json): { type: string; text: string }[] {
  const parsed: Notebook = Notebook.parse(notebook);
  return parsed.cells.map(cell => ({ type: cell.cell_type, text: typeof cell.source === 'string' ? cell.source : cell.source.join('') }));
}

const PYTHON_CELL_MAGICS = new Set(['time', 'timeit', 'capture', 'prun', 'python', 'python3', 'pypy', 'debug', 'memit', 'mprun']);

/**
 * A cell without what only IPython understands, line numbers kept: shell lines are dropped, of line magics only the
 * name, so that `%time cloister.read_csv("a/b")` is still seen. A cell of another language has no Python.
 */
export function pythonOfCell(source: string): string {
  const [first = '', ...rest] = source.trimStart().split('\n');
  if (first.startsWith('%%')) {
    const magic = /^%%(\w+)/.exec(first)?.[1] ?? '';
    return PYTHON_CELL_MAGICS.has(magic) ? `\n${pythonOfLines(rest)}` : '';
  }
  return pythonOfLines(source.split('\n'));
}

function pythonOfLines(lines: readonly string[]): string {
  return lines
    .map(line => {
      const magic = /^\s*%(\w+)(.*)$/.exec(line);
      // `%run helper.py` becomes a literal, which is how files in the code are found.
      if (magic?.[1] === 'run') return JSON.stringify((magic[2] ?? '').trim().split(/\s+/)[0] ?? '');
      if (magic !== null) return magic[2] ?? '';
      return /^\s*[!?]/.test(line) ? '' : line;
    })
    .join('\n');
}
