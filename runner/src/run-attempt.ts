import { join } from 'node:path';
import { unlink } from 'node:fs/promises';
import { AppError, SERVER_ROUTES, callRoute, createProver, type ClientDeps, type ErrorCode } from '@cloister/protocol';
import { createAttemptKeys, type AttemptKeys } from './attestation/attempt-keys.js';
import { denialsIn } from './attestation/denials.js';
import { forgetKeys, obtainKeys, type Access } from './attestation/obtain-keys.js';
import { openBundle, writeBundle } from './data/open-bundle.js';
import { openInputs } from './data/open-inputs.js';
import type { RunnerDeps } from './deps.js';
import { wallClockMs } from './obligations.js';
import { readOrder, type AttemptName, type Order } from './order.js';
import { collectOutputs, type CollectedRun, type PendingOutput } from './output/collect-outputs.js';
import { sealIndex, sealOutput, type SealedIndex, type SealedOutput } from './output/seal-output.js';
import { startProgress } from './progress.js';
import { attestReport } from './report/attest-report.js';
import { witnessed } from './report/collect-witnesses.js';
import { createPublisher, type Publisher } from './report/publish.js';
import { withRetries, type RetryOptions } from './retry.js';
import type { NotebookResult, NotebookRun, PreparedSandbox } from './sandbox.js';
import { createScratch, type Scratch } from './scratch.js';
import { reasonOf, requireNotStopped } from './stopping.js';

export interface AttemptTask extends AttemptName {
  /** ServiceUrl of the server. */
  readonly server: string;
  /** Folder to make the attempt's scratch in. */
  readonly scratch: string;
}

/** How an attempt ended: with a report (of a success or of a failure), or without one, for this reason. */
export type Ending = { readonly published: true } | { readonly published: false; readonly code: ErrorCode };

interface Attempt {
  readonly task: AttemptTask;
  readonly deps: RunnerDeps;
  readonly keys: AttemptKeys;
  /** Without proofs: what a runner may read before it has shown itself. */
  readonly open: ClientDeps;
  /** With proofs by the attempt's key. */
  readonly server: ClientDeps;
  readonly scratch: Scratch;
  readonly publisher: Publisher;
  readonly retries: RetryOptions;
  readonly signal: AbortSignal;
}

/** One attempt at one job, from its name to a published report. Never throws; leaves nothing on disk. */
export async function runAttempt(task: AttemptTask, deps: RunnerDeps, signal: AbortSignal): Promise<Ending> {
  const keys = await createAttemptKeys();
  const open = { transport: deps.transport, baseUrl: task.server };
  const server = { ...open, prove: createProver(keys.signer, deps.clock) };
  const retries = { clock: deps.clock, signal };
  let scratch: Scratch | undefined;
  try {
    scratch = await createScratch(task.scratch);
    await fulfil({ task, deps, keys, open, server, scratch, retries, signal, publisher: createPublisher(server, task, retries) });
    return { published: true };
  } catch (error) {
    const code = codeOf(signal.aborted ? reasonOf(signal) : error);
    deps.log(`failed:${code}`);
    // What the host lacks is for its operator to read; nothing of the job is in it.
    if (error instanceof AppError && (code === 'sandbox_unavailable' || code === 'sandbox_leaks')) deps.log(error.detail);
    await tellFailure({ task, deps, server }, code, error);
    return { published: false, code };
  } finally {
    if ((await scratch?.remove()) === false) deps.log('scratch_left');
  }
}

/** The order of these lines is the security of the whole: nothing is opened before everything about it was verified. */
async function fulfil(attempt: Attempt): Promise<void> {
  const { deps, retries, signal } = attempt;
  const order = await readOrder(attempt.open, attempt.task, retries);
  const sandbox = await deps.sandbox.prepare();
  deps.log('sandbox_ready', { probes: sandbox.probes.length });
  const access = await obtainKeys(order, attempt.keys, { ...deps, server: attempt.server, signal });
  deps.log('released', { inputs: order.inputs.length });
  const { run, timeoutSeconds } = await openEverything(attempt, order, access);
  const result = await runNotebook(attempt, sandbox, run);
  deps.log('ran', result.cells);
  const { outcome, outputs } = await collectOutputs(result, run.notebook, access.obligations);
  const sealed = await sealAndSend(attempt, order, { outputs, cells: result.cells });
  const index = await sendIndex(attempt, order, sealed);
  const finished = { order, access, sandbox, timeoutSeconds, result, outcome, outputs: sealed, index };
  const attested = await attestReport(finished, deps.tokens, signal);
  const report = await witnessed(attested, finished, { ...deps, signal });
  deps.log('witnessed', { witnesses: report.witnesses.length, brokers: access.releases.length });
  await attempt.publisher.report(report);
  deps.log(`published:${endOf(outcome)}`, { outputs: sealed.length });
}

type OpenedRun = Omit<NotebookRun, 'onProgress' | 'signal'>;

async function openEverything(attempt: Attempt, order: Order, access: Access): Promise<{ readonly run: OpenedRun; readonly timeoutSeconds: number }> {
  const { open, scratch, retries, deps } = attempt;
  const { bundle: bundleDigest } = order.manifest.code;
  const codeKeys = access.releases.flatMap(({ fileKeys }) => fileKeys.get(bundleDigest) ?? []);
  const fileKeys = new Map(access.releases.flatMap(release => [...release.fileKeys]));
  try {
    const bundle = await openBundle(open, order, codeKeys, retries);
    await writeBundle(bundle, scratch.workspace);
    const inputs = await openInputs(open, { order, fileKeys, folder: scratch.inputs }, retries);
    const { entry, timeoutSeconds } = bundle.header;
    const timeoutMs = wallClockMs(timeoutSeconds, access.obligations, deps.clock.now());
    return { run: { workspace: scratch.workspace, notebook: entry, inputs, scratch: scratch.sandbox, timeoutMs }, timeoutSeconds };
  } finally {
    forgetKeys(access);
  }
}

/** Runs it with its progress forwarded; a cancellation, a newer attempt or a signal ends it. */
async function runNotebook(attempt: Attempt, sandbox: PreparedSandbox, run: OpenedRun): Promise<NotebookResult> {
  const { deps, server, task, signal } = attempt;
  const stopping = new AbortController();
  const stopped = AbortSignal.any([signal, stopping.signal]);
  const params = { job: task.job, attempt: task.attempt };
  const progress = startProgress({
    clock: deps.clock,
    send: (cells, ended) => {
      const body = { state: 'running', ...(cells === undefined ? {} : { cells }) } as const;
      return callRoute(server, SERVER_ROUTES.postProgress, { params, body, signal: AbortSignal.any([stopped, ended]) });
    },
    onCancelled: () => stopping.abort(new AppError('cancelled', 'the job was cancelled')),
    onRefused: error => stopping.abort(error),
    isRefusal: error => error instanceof AppError && (error.code === 'attempt_stale' || error.code === 'not_admitted')
  });
  try {
    const onProgress: NotebookRun['onProgress'] = ({ cellsDone, cellsTotal }) => progress.report({ done: cellsDone, total: cellsTotal });
    const result = await sandbox.run({ ...run, onProgress, signal: stopped });
    requireNotStopped(stopped);
    requireOwnFailure(result);
    return result;
  } finally {
    await progress.stop();
  }
}

/** A fault of the runner is no result of the notebook: without a report the server may try the job again. */
function requireOwnFailure({ outcome }: NotebookResult): void {
  if (outcome.status === 'failed' && outcome.code === 'runner_failed') throw new AppError('runner_failed', 'the notebook could not be run');
}

interface SealableRun {
  readonly outputs: readonly PendingOutput[];
  readonly cells: NotebookResult['cells'];
}

/** One at a time: sealed copies take room beside the plaintext. */
async function sealAndSend(attempt: Attempt, order: Order, { outputs, cells }: SealableRun): Promise<SealedOutput[]> {
  const { server, task, scratch, retries, signal, publisher } = attempt;
  // The last counts too: what was reported on the way may lag behind.
  const body = { state: 'sealing', cells } as const;
  const params = { job: task.job, attempt: task.attempt };
  const { cancelled } = await withRetries(() => callRoute(server, SERVER_ROUTES.postProgress, { params, body, signal }), retries);
  if (cancelled) throw new AppError('cancelled', 'the job was cancelled');
  const sealed: SealedOutput[] = [];
  for (const [number, output] of outputs.entries()) {
    requireNotStopped(signal);
    const path = join(scratch.sealed, String(number));
    const done = await sealOutput(output, { number, recipients: order.manifest.outputs.recipients, destination: path });
    await publisher.output(number, { path, digest: done.digest, size: done.size });
    await unlink(path);
    sealed.push(done);
  }
  return sealed;
}

async function sendIndex({ task, publisher }: Attempt, order: Order, sealed: readonly SealedOutput[]): Promise<SealedIndex> {
  const names = { job: task.job, attempt: task.attempt, outputs: sealed.map(({ entry }) => entry) };
  const index = await sealIndex(names, order.manifest.outputs.recipients);
  await publisher.index(index.bytes, index.digest);
  return index;
}

/** Only a code and the brokers' own signed word: texts of errors may name what the operator must not learn. */
async function tellFailure({ server, task, deps }: Pick<Attempt, 'server' | 'task' | 'deps'>, code: ErrorCode, error: unknown): Promise<void> {
  const denials = denialsIn(error);
  const body = { code, ...(denials.length === 0 ? {} : { denials }) };
  // Not the attempt's signal: an attempt that was stopped still says so, within a bound.
  const signal = AbortSignal.timeout(FAREWELL_MS);
  const params = { job: task.job, attempt: task.attempt };
  try {
    await withRetries(() => callRoute(server, SERVER_ROUTES.failAttempt, { params, body, signal }), { clock: deps.clock, signal, tries: 3 });
  } catch {
    deps.log('failure_untold');
  }
}

const FAREWELL_MS = 10_000;

function codeOf(error: unknown): ErrorCode {
  if (error instanceof AppError) return error.code;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOSPC' || code === 'EDQUOT' ? 'storage_full' : 'runner_failed';
}

function endOf(outcome: CollectedRun['outcome']): string {
  return outcome.status === 'failed' ? outcome.code : 'succeeded';
}
