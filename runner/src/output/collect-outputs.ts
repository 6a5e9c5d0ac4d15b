import { basename } from 'node:path';
import { AppError, ERRORS, toUtf8, type ErrorCode, type Obligations } from '@cloister/protocol';
import type { NotebookResult } from '../sandbox.js';
import { listFiles } from './list-files.js';
import { mediaTypeOf } from './media-types.js';

/** One thing that goes back to the analyst, still open. */
export interface PendingOutput {
  /** Below her results folder. */
  readonly path: string;
  readonly kind: 'notebook' | 'file' | 'traceback';
  readonly mediaType: string;
  readonly size: number;
  readonly content: { readonly bytes: Uint8Array } | { readonly hostPath: string };
}

export type RunOutcome = { readonly status: 'succeeded' } | { readonly status: 'failed'; readonly code: ErrorCode };

export interface CollectedRun {
  readonly outcome: RunOutcome;
  readonly outputs: readonly PendingOutput[];
}

const TRACEBACK = 'traceback.txt';
const MAX_TRACEBACK_CHARS = 1 << 20;
/** Also where owners set no cap: a file may claim more bytes than any disk has, and sealing reads every one of them. */
const MAX_TOTAL_BYTES = 16 * 1024 ** 3;

/**
 * What leaves the enclave: the executed notebook, the regular files under outputs/, and of a failed run the traceback.
 * Where files are refused or all is larger than an owner allows, the run has failed, the files stay behind, and the
 * traceback says why.
 */
export async function collectOutputs(run: NotebookResult, entry: string, { maxOutputBytes }: Pick<Obligations, 'maxOutputBytes'>): Promise<CollectedRun> {
  const cap = maxOutputBytes === 'any' ? MAX_TOTAL_BYTES : Math.min(maxOutputBytes, MAX_TOTAL_BYTES);
  const notebook = inMemory('notebook', basename(entry), run.notebook);
  try {
    const own = run.outcome.status === 'failed' ? [notebook, traceback(explain(run.outcome.code, run.outcome.traceback))] : [notebook];
    const outputs = [...own, ...(await filesOf(run.outputsDir))];
    requireWithin(outputs, cap);
    return { outcome: outcomeOf(run), outputs };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return withoutFiles(run, notebook, { error, cap });
  }
}

async function filesOf(outputsDir: string): Promise<PendingOutput[]> {
  const files = await listFiles(outputsDir);
  return files.map(({ path, hostPath, size }) => ({ path: `outputs/${path}`, kind: 'file', mediaType: mediaTypeOf(path), size, content: { hostPath } }));
}

function requireWithin(outputs: readonly PendingOutput[], cap: number): void {
  const total = outputs.reduce((sum, { size }) => sum + size, 0);
  if (total > cap) throw new AppError('output_too_large', `the outputs are ${total} bytes; ${cap} may leave`);
}

/** Even a failed run obeys the owners' cap: as much of notebook and explanation as fits. */
function withoutFiles(run: NotebookResult, notebook: PendingOutput, { error, cap }: { readonly error: AppError; readonly cap: number }): CollectedRun {
  const outcome: RunOutcome = run.outcome.status === 'failed' ? outcomeOf(run) : { status: 'failed', code: error.code };
  const first = run.outcome.status === 'failed' ? `${explain(run.outcome.code, run.outcome.traceback)}\n` : '';
  const explanation = traceback(`${first}${explain(error.code, error.detail)}`);
  const fitting: PendingOutput[] = [];
  let left = cap;
  for (const output of [explanation, notebook]) {
    if (output.size > left) continue;
    fitting.push(output);
    left -= output.size;
  }
  return { outcome, outputs: fitting.reverse() };
}

function outcomeOf({ outcome }: NotebookResult): RunOutcome {
  return outcome.status === 'failed' ? { status: 'failed', code: outcome.code } : { status: 'succeeded' };
}

function explain(code: ErrorCode, text: string | undefined): string {
  const { title, hint } = ERRORS[code];
  return `${code}: ${title}\n${hint}\n${text === undefined ? '' : `\n${text.slice(0, MAX_TRACEBACK_CHARS)}\n`}`;
}

function traceback(text: string): PendingOutput {
  return inMemory('traceback', TRACEBACK, toUtf8(text.toWellFormed()));
}

function inMemory(kind: PendingOutput['kind'], path: string, bytes: Uint8Array): PendingOutput {
  return { path, kind, mediaType: mediaTypeOf(path), size: bytes.length, content: { bytes } };
}
