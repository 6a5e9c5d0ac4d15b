import { join } from 'node:path';

import type { Digest, JobState, JobView } from '@cloister/protocol';

import { readExecuted, type ExecutedCell } from './notebooks.js';
import type { RunningSlice } from './slice.js';

/** One job, from the press of the button to its opened outputs. Times are milliseconds since the epoch. */
export interface JobRun {
  readonly pressedAt: number;
  readonly signedAt: number;
  readonly acceptedAt: number;
  /** When the analyst first saw each state. */
  readonly seenAt: ReadonlyMap<JobState, number>;
  /** When she first saw counts of cells: the kernel has the first one. A short job may end before she is told. */
  readonly cellsSeenAt?: number;
  readonly openedAt: number;
  readonly cells: readonly ExecutedCell[];
}

export interface JobRequest {
  readonly notebook: string;
  /** Folder for the opened outputs, which does not exist yet. */
  readonly into: string;
  readonly signal: AbortSignal;
}

/** Submits a notebook as the command line does, watches it, verifies and opens what came back. @throws where it did not succeed */
export async function runJob({ agent }: Pick<RunningSlice, 'agent'>, { notebook, into, signal }: JobRequest): Promise<JobRun> {
  const pressedAt = Date.now();
  const plan = await agent.plan({ notebook });
  const draft = await agent.draft(plan);
  const signedAt = Date.now();
  const { job } = await agent.submit({ plan, draft });
  const acceptedAt = Date.now();
  const watched = await watch(agent.watch(job, signal), job);
  const results = await agent.results(job, { into });
  const openedAt = Date.now();
  if (results.verdict !== 'simulated') throw new Error(`the report is ${results.verdict}, not simulated`);
  const executed = results.files.find(({ kind }) => kind === 'notebook');
  if (executed === undefined) throw new Error('no executed notebook came back');
  return { pressedAt, signedAt, acceptedAt, ...watched, openedAt, cells: await readExecuted(join(results.folder, executed.path)) };
}

async function watch(views: AsyncIterable<JobView>, job: Digest): Promise<Pick<JobRun, 'seenAt' | 'cellsSeenAt'>> {
  const seenAt = new Map<JobState, number>();
  let cellsSeenAt: number | undefined;
  let last: JobView | undefined;
  for await (const view of views) {
    last = view;
    if (!seenAt.has(view.state)) seenAt.set(view.state, Date.now());
    if (view.cells !== undefined) cellsSeenAt ??= Date.now();
  }
  if (last?.state !== 'succeeded') throw new Error(`job ${job} ended as ${last?.state ?? 'unknown'}: ${last?.code ?? ''}`);
  return cellsSeenAt === undefined ? { seenAt } : { seenAt, cellsSeenAt };
}
