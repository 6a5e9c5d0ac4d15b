import { setTimeout as pause } from 'node:timers/promises';

const PAUSE_MS = 10;

export interface PollOptions {
  readonly within?: number;
  readonly pauseMs?: number;
}

/** Asks again and again until there is an answer. @throws Error, naming what was waited for, after `within` milliseconds */
export async function until<T>(what: string, ask: () => T | undefined | Promise<T | undefined>, { within = 60_000, pauseMs = PAUSE_MS }: PollOptions = {}): Promise<T> {
  const deadline = Date.now() + within;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() >= deadline) throw new Error(`in ${within} ms there was no ${what}`);
    await pause(pauseMs);
  }
}

/** As `until`, for a condition. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>, options: PollOptions = {}): Promise<void> {
  await until(what, async () => ((await holds()) ? true : undefined), options);
}
