import { lstat, mkdir, readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';

import { AppError } from '@cloister/protocol';

import type { SandboxForm } from './bubblewrap.js';
import { readDriverResult, type CellResult } from './driver-result.js';
import { execute } from './execute.js';
import { describeInterpreter, hasKernel, type Interpreter } from './interpreter.js';
import { driverNotebook, parseNotebook, withOutputs, type SubmittedNotebook } from './notebook-document.js';
import { decideOutcome, type Outcome } from './outcome.js';
import { copyWorkspace, createStage, openFolders, outputsOf, outputsState, type NotebookInput, type Stage } from './stage.js';

/** Counts of code cells; nothing else of a run leaves it while it runs. */
export interface Progress {
  readonly cellsDone: number;
  readonly cellsTotal: number;
}

export interface RunOptions {
  readonly form: SandboxForm;
  /** The folder with driver/, kernel/ and probe/. */
  readonly driverDir: string;
  /** The folder that holds the `cloister` Python package. */
  readonly cloisterModuleDir: string;
  /** Host folder with the bundle’s files. The notebook works on a copy. */
  readonly workspace: string;
  /** Path of the notebook, relative to the workspace. */
  readonly notebook: string;
  readonly inputs: readonly NotebookInput[];
  /** Host folder of this attempt alone. The caller removes it. */
  readonly scratch: string;
  /** Wall clock of the whole run, in milliseconds. */
  readonly timeoutMs: number;
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

export interface NotebookResult {
  readonly outcome: Outcome;
  /** nbformat 4 JSON: the submitted sources and metadata, with the outputs and execution counts that came back. */
  readonly notebook: Uint8Array;
  /** Host folder of what the notebook wrote to `outputs/`. It may hold links and devices: check each entry. */
  readonly outputsDir: string;
  readonly cells: { readonly done: number; readonly total: number };
  /** When the first code cell went to the kernel. */
  readonly firstCellAt?: Date;
  readonly startedAt: Date;
  readonly endedAt: Date;
}

export interface PythonOption {
  /** Path of the Python interpreter, in a virtual environment or not. It is started outside of any sandbox. */
  readonly python: string;
}

interface Run {
  readonly options: RunOptions;
  readonly submitted: SubmittedNotebook;
  readonly stage: Stage;
  readonly interpreter: Interpreter;
  /** The notebook’s folder, relative to the workspace. */
  readonly folder: string;
  readonly startedAt: Date;
}

type Ran = Pick<NotebookResult, 'outcome' | 'notebook' | 'cells' | 'firstCellAt'>;

/** As `runNotebookWith`, for who has no data open yet. Throws also what `describeInterpreter` does. */
export async function runNotebook({ python, ...options }: RunOptions & PythonOption): Promise<NotebookResult> {
  return runNotebookWith(await describeInterpreter(python), options);
}

/**
 * Runs a notebook with driver and kernel in two sandboxes. When this resolves or rejects, no process of the run lives.
 * A notebook that fails is a result, with the outputs of the cells before; it rejects where it could not be tried:
 * `notebook_missing`, `notebook_not_json`, `notebook_unsupported`, `bundle_invalid`, or `runner_failed` where processes
 * of the run cannot be ended.
 */
export async function runNotebookWith(interpreter: Interpreter, options: RunOptions): Promise<NotebookResult> {
  const startedAt = new Date();
  const path = insideWorkspace(options.notebook);
  const submitted = parseNotebook(await readSubmitted(join(options.workspace, path)));
  const folder = posix.dirname(path);
  const stage = await stageRun(options, submitted, folder);
  const run: Run = { options, submitted, stage, interpreter, folder, startedAt };
  const ran = await runStaged(run);
  const { outputsDir, refused } = await collectOutputs(run);
  const outcome: Outcome = refused && ran.outcome.status === 'succeeded' ? { status: 'failed', code: 'output_refused' } : ran.outcome;
  return { ...ran, outcome, outputsDir, startedAt, endedAt: new Date() };
}

async function stageRun(options: RunOptions, submitted: SubmittedNotebook, folder: string): Promise<Stage> {
  const stage = await createStage(options.scratch, driverNotebook(submitted), options.inputs);
  await copyWorkspace(options.workspace, stage, folder);
  return stage;
}

async function runStaged(run: Run): Promise<Ran> {
  const { options, submitted, stage, interpreter, folder, startedAt } = run;
  const total = submitted.runningCells;
  if (!(await hasKernel(interpreter, submitted.kernel))) {
    const outcome: Outcome = { status: 'failed', code: 'kernel_unavailable' };
    return { outcome, notebook: withOutputs(submitted, []), cells: { done: 0, total } };
  }
  const { firstCellAt, ...facts } = await execute({
    form: options.form,
    programs: { interpreter, driverDir: options.driverDir, cloisterModuleDir: options.cloisterModuleDir },
    stage,
    inputs: options.inputs,
    folder,
    total,
    deadline: startedAt.getTime() + options.timeoutMs,
    onDone: done => options.onProgress({ cellsDone: done, cellsTotal: total }),
    signal: options.signal
  });
  const driver = await readDriverResult(join(stage.resultFolder, 'result.json'), submitted.codeCells.length);
  const outcome = decideOutcome({ ...facts, total, ...(driver === undefined ? {} : { driver }) });
  return {
    ...withExecuted(submitted, outcome, driver?.cells ?? []),
    cells: { done: Math.min(driver?.done ?? facts.done, total), total },
    ...(firstCellAt === undefined ? {} : { firstCellAt })
  };
}

/** A notebook too large to be written fails the run and comes back without outputs. */
function withExecuted(submitted: SubmittedNotebook, outcome: Outcome, cells: readonly CellResult[]): Pick<Ran, 'outcome' | 'notebook'> {
  try {
    return { outcome, notebook: withOutputs(submitted, cells) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { outcome: outcome.status === 'failed' ? outcome : { status: 'failed', code: 'output_too_large' }, notebook: withOutputs(submitted, []) };
  }
}

function insideWorkspace(notebook: string): string {
  const path = posix.normalize(notebook);
  if (posix.isAbsolute(path) || path === '..' || path.startsWith('../')) {
    throw new AppError('notebook_missing', 'the notebook’s path leads out of the workspace');
  }
  return path;
}

async function readSubmitted(path: string): Promise<Uint8Array> {
  const status = await lstat(path).catch(() => undefined);
  if (status?.isFile() !== true) throw new AppError('notebook_missing', 'the bundle has no such notebook');
  return readFile(path);
}

/** The outputs, or an empty folder where the notebook removed its own or put something else in its place. */
async function collectOutputs({ stage, folder, options }: Run): Promise<{ outputsDir: string; refused: boolean }> {
  await openFolders(stage, folder);
  const outputs = outputsOf(stage, folder);
  const state = await outputsState(stage, outputs);
  if (state === 'kept') return { outputsDir: outputs, refused: false };
  const outputsDir = join(options.scratch, 'no-outputs');
  await mkdir(outputsDir, { mode: 0o700 });
  return { outputsDir, refused: state === 'foreign' };
}
