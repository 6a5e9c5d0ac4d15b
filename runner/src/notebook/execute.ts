/**
 * One run of the two sandboxes: starts both, follows the driver’s progress, tells the driver when the kernel is gone, ends the
 * kernel at the deadline or when the run is cancelled, and leaves no process behind.
 */
import { setTimeout as delay } from 'node:timers/promises';

import type { SandboxForm } from './bubblewrap.js';
import { parseDriverLine, type DriverLine } from './driver-result.js';
import type { RunFacts } from './outcome.js';
import { reap } from './reaper.js';
import { startSandbox, type Sandbox, type SandboxEnd } from './sandbox-process.js';
import { driverRoot, INSIDE, kernelRoot, type NotebookInput, type Programs, type Stage } from './stage.js';

/** The driver has this long to save what it has after its kernel is gone. */
const DRIVER_GRACE_MS = 15_000;
/** A kernel that was asked to end has this long to close its files. */
const KERNEL_GRACE_MS = 3_000;
const MAX_UNFINISHED_LINE = 1_000;
/** Node’s longest timer, about 25 days; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface Execution {
  readonly form: SandboxForm;
  readonly programs: Programs;
  readonly stage: Stage;
  readonly inputs: readonly NotebookInput[];
  /** The notebook’s folder, relative to the workspace. */
  readonly folder: string;
  /** Code cells that should run. */
  readonly total: number;
  /** Milliseconds since the epoch. */
  readonly deadline: number;
  readonly onDone: (cells: number) => void;
  readonly signal: AbortSignal;
}

/** What the runner saw. */
export interface Executed extends Omit<RunFacts, 'driver' | 'total'> {
  readonly done: number;
  readonly firstCellAt?: Date;
}

/** When this resolves or rejects, no process of the two sandboxes lives. */
export async function execute(execution: Execution): Promise<Executed> {
  const { form, programs, stage } = execution;
  const interpreter = programs.interpreter.path;
  const kernel = startSandbox(form, {
    root: kernelRoot(stage, programs, execution),
    command: [interpreter, `${INSIDE.kernel}/bootstrap.py`, '-f', INSIDE.connection]
  });
  const driver = startSandbox(form, {
    root: driverRoot(stage, programs),
    command: [interpreter, '-I', `${INSIDE.driver}/notebook_driver.py`, INSIDE.notebook, INSIDE.connection, `${INSIDE.result}/result.json`]
  });
  try {
    return await follow(execution, kernel, driver);
  } finally {
    kernel.kill();
    driver.kill();
    // Their ends come first: then bubblewrap has said all that is known of the processes to look for.
    await Promise.all([kernel.ended, driver.ended]);
    await reap([kernel.trace, driver.trace]);
  }
}

async function follow(execution: Execution, kernel: Sandbox, driver: Sandbox): Promise<Executed> {
  kernel.stdout.resume();
  // Without this word the kernel ends: one whose runner died while it was made is on no list.
  void kernel.listed.then(() => kernel.stdin.write('go\n'));
  let stopped: RunFacts['stopped'];
  let kernelEnd: SandboxEnd | undefined;
  const stop = (why: NonNullable<RunFacts['stopped']>) => {
    stopped ??= why;
    kernel.kill();
  };
  void kernel.ended.then(end => {
    if (stopped === undefined) kernelEnd = end;
    driver.stdin.write('kernel-ended\n');
  });
  const release = stopAt(execution, stop);
  const progress = followProgress(execution, driver);
  try {
    await endOfDriver(driver, kernel);
  } finally {
    release();
  }
  const facts = { met: progress.met(), ready: progress.ready(), done: progress.done(), kernelSaid: kernel.stderr(), driverSaid: driver.stderr() };
  const firstCellAt = progress.firstCellAt();
  const executed = {
    ...facts,
    ...(stopped === undefined ? {} : { stopped }),
    ...(kernelEnd === undefined ? {} : { kernelEnd }),
    ...(firstCellAt === undefined ? {} : { firstCellAt })
  };
  // What a notebook left in the buffers of open files is written when its interpreter ends in order, as the driver asked.
  if (progress.ended()) await Promise.race([kernel.ended, delay(KERNEL_GRACE_MS, undefined, { ref: false })]);
  return executed;
}

/** Stops the run at its deadline or when it is cancelled; the returned function forgets both. */
function stopAt({ deadline, signal }: Execution, stop: (why: 'deadline_exceeded' | 'cancelled') => void): () => void {
  const cancel = () => stop('cancelled');
  const timer = setTimeout(() => stop('deadline_exceeded'), Math.min(LONGEST_TIMER_MS, Math.max(0, deadline - Date.now())));
  signal.addEventListener('abort', cancel, { once: true });
  if (signal.aborted) cancel();
  return () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', cancel);
  };
}

/** Waits for the driver, without a limit while the kernel lives: that is what the deadline is for. */
async function endOfDriver(driver: Sandbox, kernel: Sandbox): Promise<void> {
  await Promise.race([driver.ended, kernel.ended]);
  await Promise.race([driver.ended, delay(DRIVER_GRACE_MS, undefined, { ref: false })]);
  driver.kill();
  await driver.ended;
}

interface ProgressSeen {
  met(): boolean;
  ready(): boolean;
  ended(): boolean;
  done(): number;
  firstCellAt(): Date | undefined;
}

/** Reads the driver’s lines. One that the driver does not write ends it: something else speaks in its place. */
function followProgress({ total, onDone }: Execution, driver: Sandbox): ProgressSeen {
  let met = false;
  let ready = false;
  let ended = false;
  let done = 0;
  let firstCellAt: Date | undefined;
  let unfinished = '';
  const take = (line: DriverLine | undefined) => {
    if (line === undefined || (line.state === 'running' && (line.done < done || line.done > total))) {
      driver.stdout.destroy();
      driver.kill();
      return;
    }
    // The driver says `connecting` first, but only what it did before it says anything is sure to be its own.
    met = true;
    ready ||= line.state === 'ready';
    ended ||= line.state === 'ended';
    if (line.state !== 'running') return;
    const first = firstCellAt === undefined;
    firstCellAt ??= new Date();
    if (first || line.done > done) onDone(line.done);
    done = line.done;
  };
  driver.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (unfinished + chunk).split('\n');
    unfinished = (lines.pop() ?? '').slice(0, MAX_UNFINISHED_LINE);
    lines.forEach(line => take(parseDriverLine(line)));
  });
  return { met: () => met, ready: () => ready, ended: () => ended, done: () => done, firstCellAt: () => firstCellAt };
}
