import type { ErrorCode } from '@cloister/protocol';

/** An opened input, as the notebook will find it under its name. */
export interface NotebookInput {
  readonly name: string;
  readonly file: string;
  readonly mediaType: string;
}

export interface NotebookRun {
  /** The bundle's files. The notebook gets a copy. */
  readonly workspace: string;
  /** Path of the notebook in it. */
  readonly notebook: string;
  readonly inputs: readonly NotebookInput[];
  /** Private folder for the run's own files. */
  readonly scratch: string;
  /** Wall clock of the whole run. */
  readonly timeoutMs: number;
  readonly onProgress: (counts: { readonly cellsDone: number; readonly cellsTotal: number }) => void;
  readonly signal: AbortSignal;
}

/** What came of a run. When it is there, no process of the notebook lives. */
export interface NotebookResult {
  readonly outcome:
    | { readonly status: 'succeeded' }
    | { readonly status: 'failed'; readonly code: ErrorCode; readonly traceback?: string };
  /** nbformat 4: the submitted sources with the outputs that came back. */
  readonly notebook: Uint8Array;
  readonly outputsDir: string;
  readonly cells: { readonly done: number; readonly total: number };
  readonly startedAt: Date;
  readonly endedAt: Date;
}

export interface PreparedSandbox {
  readonly form: 'fresh-proc' | 'empty-proc';
  /** All of them were blocked. */
  readonly probes: readonly { readonly probe: string; readonly sandbox: 'driver' | 'kernel' }[];
  readonly run: (run: NotebookRun) => Promise<NotebookResult>;
}

/** Where notebooks run, as a port: the story of an attempt does not know how it is made. */
export interface NotebookSandbox {
  /**
   * Makes a sandbox and tries to get out of it.
   * @throws AppError sandbox_unavailable | sandbox_leaks
   */
  readonly prepare: () => Promise<PreparedSandbox>;
}
