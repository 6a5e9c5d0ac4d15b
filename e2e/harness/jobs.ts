import type { Draft, OpenedResults, Plan } from '@cloister/agent';
import { DENIAL, TERMINAL_STATES, peekPayload, type DenialReason, type Digest, type JobState, type JobView } from '@cloister/protocol';
import { COUNT_ROWS, writeWorkspace } from './notebooks.js';
import type { World } from './world.js';

export interface Submission {
  readonly cells?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  readonly timeoutSeconds?: number;
  readonly idempotencyKey?: string;
}

export interface Drafted {
  readonly plan: Plan;
  readonly draft: Draft;
  readonly notebook: string;
}

/** Everything up to what is sent: a new folder with a notebook, packaged, sealed, signed, and asked about. */
export async function draft({ agent, newFolder }: World, { cells = COUNT_ROWS, files, timeoutSeconds }: Submission = {}): Promise<Drafted> {
  const notebook = await writeWorkspace(newFolder(), cells, files);
  const plan = await agent.plan({ notebook, ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }) });
  return { plan, notebook, draft: await agent.draft(plan) };
}

export async function submit(world: World, submission: Submission = {}): Promise<JobView> {
  return world.agent.submit(await draft(world, submission), submission.idempotencyKey === undefined ? {} : { idempotencyKey: submission.idempotencyKey });
}

/** Follows a job to its end, also over restarts of the daemon. */
export async function ended({ agent }: World, job: Digest, within = 60_000): Promise<JobView> {
  for await (const view of agent.watch(job, AbortSignal.timeout(within))) {
    if (TERMINAL_STATES.has(view.state)) return view;
  }
  throw new Error(`${job} did not end`);
}

/** Submits, waits, opens. */
export async function run(world: World, submission: Submission = {}): Promise<{ view: JobView; results: OpenedResults }> {
  const { job } = await submit(world, submission);
  const view = await ended(world, job);
  return { view, results: await world.agent.results(job) };
}

/** All states that the job went through, as the server's events tell them. */
export async function history({ agent }: World, job: Digest): Promise<{ state: JobState; attempt: number }[]> {
  const states: { state: JobState; attempt: number }[] = [];
  for await (const { job: of, state, attempt } of agent.events(AbortSignal.timeout(20_000), 0)) {
    if (of !== job) continue;
    if (states.at(-1)?.state !== state || states.at(-1)?.attempt !== attempt) states.push({ state, attempt });
    if (TERMINAL_STATES.has(state)) return states;
  }
  throw new Error(`${job} has no end`);
}

/** Why brokers denied, by their signed word. */
export function denialsOf(view: JobView): DenialReason[] {
  return (view.denials ?? []).flatMap(jws => peekPayload(DENIAL, jws).payload.denials);
}
