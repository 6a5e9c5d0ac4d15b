import { readFile, writeFile } from 'node:fs/promises';

/** A notebook of code cells alone. */
export function notebookOf(cells: readonly string[]): string {
  return JSON.stringify({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec: { name: 'python3', display_name: 'Python 3', language: 'python' } },
    cells: cells.map((source, at) => ({ id: `cell-${at}`, cell_type: 'code', source, metadata: {}, execution_count: null, outputs: [] }))
  });
}

export async function writeNotebook(file: string, cells: readonly string[]): Promise<void> {
  await writeFile(file, notebookOf(cells));
}

export interface ExecutedCell {
  readonly executed: boolean;
  /** What it printed. */
  readonly printed: string;
}

export async function readExecuted(file: string): Promise<ExecutedCell[]> {
  return executedCells(await readFile(file, 'utf8'));
}

/** The code cells of an executed notebook. @throws where it is none */
export function executedCells(text: string): ExecutedCell[] {
  const notebook: unknown = JSON.parse(text);
  return listIn(notebook, 'cells')
    .filter(cell => memberOf(cell, 'cell_type') === 'code')
    .map(cell => ({
      executed: typeof memberOf(cell, 'execution_count') === 'number',
      printed: listIn(cell, 'outputs').filter(output => memberOf(output, 'output_type') === 'stream').map(textOf).join('')
    }));
}

function textOf(output: unknown): string {
  const text = memberOf(output, 'text');
  return Array.isArray(text) ? text.join('') : String(text);
}

function listIn(value: unknown, name: string): unknown[] {
  const list = memberOf(value, name);
  if (!Array.isArray(list)) throw new Error(`not an executed notebook: it has no list of ${name}`);
  return list;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined;
}
