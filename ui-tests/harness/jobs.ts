import { expect } from '@playwright/test';
import * as z from 'zod/mini';
import type { World } from './world.js';

const JobRow = z.object({ job: z.string(), state: z.string(), code: z.optional(z.string()), notebook: z.optional(z.string()) });
export type JobRow = z.infer<typeof JobRow>;

const ENDED = ['succeeded', 'failed', 'cancelled', 'lost'];

/** All jobs as the command line lists them, newest first. */
export async function jobsOf(world: World): Promise<JobRow[]> {
  return z.object({ jobs: z.array(JobRow) }).parse(await world.json(['jobs', '--limit', '200'])).jobs;
}

export async function jobOf(world: World, job: string): Promise<JobRow> {
  const found = (await jobsOf(world)).find(row => row.job === job);
  if (found === undefined) throw new Error(`there is no job ${job}`);
  return found;
}

/** Submits a notebook of the workspace by the command line. */
export async function submitByCommand(world: World, notebook: string): Promise<string> {
  return JobRow.parse(await world.json(['submit', notebook, '--yes'])).job;
}

/** Submits a notebook and waits until its job has ended, well or not. */
export async function runByCommand(world: World, notebook: string): Promise<JobRow> {
  const job = await submitByCommand(world, notebook);
  await expect.poll(async () => ENDED.includes((await jobOf(world, job)).state), { timeout: 60_000 }).toBe(true);
  return jobOf(world, job);
}

/** A notebook that was run before need not run again. */
export async function runOnce(world: World, notebook: string, cells: readonly string[]): Promise<void> {
  if ((await jobsOf(world)).some(job => job.notebook?.endsWith(notebook) === true)) return;
  world.writeNotebook(notebook, cells);
  await runByCommand(world, notebook);
}

/** Ends what still runs, so that the next scenario has the machine to itself. */
export async function cancelAll(world: World): Promise<void> {
  for (const { job, state } of await jobsOf(world)) {
    if (!ENDED.includes(state)) await world.cloister('cancel', job);
  }
  await expect.poll(async () => (await jobsOf(world)).filter(({ state }) => !ENDED.includes(state)), { timeout: 60_000 }).toEqual([]);
}
