import { AppError } from '@cloister/protocol';
import { z } from 'zod';

import type { CellOutput, CellResult } from './driver-result.js';

const Text = z.union([z.string(), z.array(z.string())]);
const Tags = z.looseObject({ tags: z.optional(z.array(z.string())) });
const Cell = z.discriminatedUnion('cell_type', [
  z.looseObject({ cell_type: z.literal('code'), source: Text, metadata: Tags }),
  z.looseObject({ cell_type: z.enum(['markdown', 'raw']), source: Text })
]);
const Notebook = z.looseObject({
  nbformat: z.literal(4),
  metadata: z.looseObject({ kernelspec: z.optional(z.looseObject({ name: z.string() })) }),
  cells: z.array(Cell)
});

const DEFAULT_KERNEL = 'python3';
const SKIP_TAG = 'skip-execution';
/** Of nothing but what Python’s `str.strip` takes away: nbclient does not run such a cell. JavaScript’s `trim` differs. */
const BLANK = /^[\t-\r\u001c- \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$/;

/** A code cell as the driver gets it. */
export interface CodeCell {
  readonly source: string;
  readonly tags: readonly string[];
}

/** The notebook that the analyst submitted. Sources and metadata of the result come from here and nowhere else. */
export interface SubmittedNotebook {
  readonly document: z.infer<typeof Notebook>;
  readonly kernel: string;
  readonly codeCells: readonly CodeCell[];
  /** Code cells that will run: not empty, and not tagged `skip-execution`. */
  readonly runningCells: number;
}

/** Throws `notebook_not_json` or `notebook_unsupported`. */
export function parseNotebook(bytes: Uint8Array): SubmittedNotebook {
  const parsed = Notebook.safeParse(parseJson(bytes));
  if (!parsed.success) throw new AppError('notebook_unsupported', z.prettifyError(parsed.error));
  const document = parsed.data;
  const codeCells = document.cells.flatMap(cell =>
    cell.cell_type === 'code' ? [{ source: joined(cell.source), tags: cell.metadata.tags ?? [] }] : []
  );
  return {
    document,
    kernel: document.metadata.kernelspec?.name ?? DEFAULT_KERNEL,
    codeCells,
    runningCells: codeCells.filter(({ source, tags }) => !BLANK.test(source) && !tags.includes(SKIP_TAG)).length
  };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new AppError('notebook_not_json', 'the notebook is not JSON text in UTF-8', { cause });
  }
}

/** What the driver is given: code cells with their tags, and nothing else of the notebook. */
export function driverNotebook(submitted: SubmittedNotebook): string {
  const cells = submitted.codeCells.map(({ source, tags }, index) => ({
    id: `cell-${index}`,
    cell_type: 'code',
    source,
    metadata: { tags },
    outputs: [],
    execution_count: null
  }));
  return JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells });
}

/**
 * The submitted notebook with the outputs and execution counts that came back, as UTF-8 JSON. Not indented: of deep
 * outputs that would be most of it. Throws `output_too_large` where it is longer than a text can be.
 */
export function withOutputs(submitted: SubmittedNotebook, results: readonly CellResult[]): Uint8Array {
  const byIndex = new Map(results.map(result => [result.index, result]));
  let index = 0;
  const cells = submitted.document.cells.map(cell => {
    if (cell.cell_type !== 'code') return cell;
    const result = byIndex.get(index++);
    return { ...cell, execution_count: result?.executionCount ?? null, outputs: mergeStreams(result?.outputs ?? []) };
  });
  return encoded({ ...submitted.document, cells });
}

function encoded(document: unknown): Uint8Array {
  try {
    return new TextEncoder().encode(`${JSON.stringify(document)}\n`);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new AppError('output_too_large', 'the executed notebook is too large', { cause });
  }
}

/** A kernel flushes five times a second; a front end shows neighbouring pieces of a stream as one, and so do we. */
function mergeStreams(outputs: readonly CellOutput[]): CellOutput[] {
  const merged: CellOutput[] = [];
  let pieces: string[] = [];
  outputs.forEach((output, index) => {
    if (output.output_type !== 'stream') {
      merged.push(output);
      return;
    }
    pieces.push(joined(output.text));
    const next = outputs[index + 1];
    if (next?.output_type === 'stream' && next.name === output.name) return;
    merged.push({ ...output, text: pieces.join('') });
    pieces = [];
  });
  return merged;
}

function joined(text: string | readonly string[]): string {
  return typeof text === 'string' ? text : text.join('');
}
