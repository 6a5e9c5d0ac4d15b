import { TERMINAL_STATES, type Digest, type JobView } from '@cloister/protocol';
import type { CliContext } from '../context.js';
import { formatDuration } from '../terminal/quantities.js';
import { describeState } from './submission.js';

/** One state that was seen, by the server's clock. */
export interface SeenState {
  readonly state: JobView['state'];
  readonly time: string;
  readonly cells?: JobView['cells'];
}

export interface FollowedJob {
  readonly view: JobView;
  readonly timeline: readonly SeenState[];
}

/**
 * Shows a job until it ends: a line for each state, with the cells done on a line that is rewritten where a person
 * watches. Ctrl-C ends the watching and not the job.
 */
export async function followJob(context: CliContext, job: Digest, quiet: boolean): Promise<FollowedJob> {
  const agent = await context.agent();
  const stop = new AbortController();
  const onInterrupt = (): void => stop.abort();
  process.once('SIGINT', onInterrupt);
  const started = context.clock.now();
  const timeline: SeenState[] = [];
  let last: JobView | undefined;
  try {
    for await (const view of agent.watch(job, stop.signal)) {
      timeline.push({ state: view.state, time: view.updatedAt, ...(view.cells === undefined ? {} : { cells: view.cells }) });
      if (!quiet) show(context, { view, last, elapsed: context.clock.now().getTime() - started.getTime() });
      last = view;
    }
  } finally {
    process.removeListener('SIGINT', onInterrupt);
  }
  // watchJob ends by itself only after the last state.
  return { view: last ?? (await agent.job(job)), timeline };
}

interface Shown {
  readonly view: JobView;
  readonly last: JobView | undefined;
  readonly elapsed: number;
}

function show({ style, live, print }: CliContext, { view, last, elapsed }: Shown): void {
  // "succeeded" is the operator's word: green is for what a verified report says.
  const paint = TERMINAL_STATES.has(view.state) && view.state !== 'succeeded' ? style.bad : style.strong;
  const line = `${style.faint(formatDuration(elapsed).padStart(12))}  ${paint(describeState(view))}`;
  const sameState = last?.state === view.state;
  if (live) process.stdout.write(`${sameState ? '\u001b[1A\r\u001b[K' : ''}${line}\n`);
  else if (!sameState || view.cells?.done === view.cells?.total) print(line);
}
