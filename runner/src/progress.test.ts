import { expect, test } from 'vitest';
import { startProgress, type CellCounts, type ProgressReporter } from './progress.js';

/** A clock whose beats are given by hand. */
function beatenClock(): { readonly now: () => Date; readonly wait: (ms: number, signal?: AbortSignal) => Promise<void>; readonly beat: () => Promise<void>; readonly waits: number[] } {
  const waits: number[] = [];
  let next: () => void = () => undefined;
  let asked: () => void = () => undefined;
  return {
    waits,
    now: () => new Date(),
    wait: (ms, signal) => new Promise(resolve => {
      waits.push(ms);
      next = () => {
        signal?.removeEventListener('abort', next);
        resolve();
      };
      signal?.addEventListener('abort', next);
      if (signal?.aborted === true) next();
      asked();
    }),
    beat: () => new Promise(resolve => {
      asked = resolve;
      next();
    })
  };
}

interface ProgressRig {
  readonly clock: ReturnType<typeof beatenClock>;
  readonly sent: (CellCounts | undefined)[];
  readonly events: string[];
  readonly progress: ProgressReporter;
}

function rigged(send: (cells: CellCounts | undefined, signal: AbortSignal) => Promise<{ cancelled: boolean }> = async () => ({ cancelled: false })): ProgressRig {
  const clock = beatenClock();
  const sent: (CellCounts | undefined)[] = [];
  const events: string[] = [];
  const progress = startProgress({
    clock,
    send: (cells, signal) => { sent.push(cells); return send(cells, signal); },
    onCancelled: () => events.push('cancelled'),
    onRefused: () => events.push('refused'),
    isRefusal: error => error instanceof Error && error.message === 'stale'
  });
  return { clock, sent, events, progress };
}

test('a thousand changes between two beats are one message, with the newest counts', async () => {
  const { clock, sent, progress } = rigged();
  await clock.beat();
  for (let done = 1; done <= 1000; done += 1) progress.report({ done, total: 1000 });
  await clock.beat();
  await clock.beat();
  expect(sent).toEqual([undefined, { done: 1000, total: 1000 }]);
  expect(new Set(clock.waits)).toEqual(new Set([500]));
  await progress.stop();
});

test('without news a sign of life goes out now and then', async () => {
  const { clock, sent, progress } = rigged();
  // The first one only waits for the start.
  for (let beat = 0; beat < 13; beat += 1) await clock.beat();
  expect(sent).toHaveLength(4);
  await progress.stop();
});

test('a cancellation is told, and a lost message is not the end', async () => {
  let times = 0;
  const { clock, events, sent, progress } = rigged(async () => {
    times += 1;
    if (times === 1) throw new Error('network');
    return { cancelled: true };
  });
  for (let beat = 0; beat < 5; beat += 1) await clock.beat();
  expect(sent.length).toBeGreaterThan(1);
  expect(events).toContain('cancelled');
  await progress.stop();
});

test('a refusal is told as one', async () => {
  const { clock, events, progress } = rigged(async () => { throw new Error('stale'); });
  await clock.beat();
  expect(events).toEqual(['refused']);
  await progress.stop();
});

test('nothing is sent once it stopped', async () => {
  const { clock, sent, progress } = rigged();
  await clock.beat();
  await progress.stop();
  const count = sent.length;
  progress.report({ done: 1, total: 1 });
  await new Promise(resolve => setImmediate(resolve));
  expect(sent).toHaveLength(count);
});

test('stopping ends a message that is under way', async () => {
  const { progress, events } = rigged((_, signal) => new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('aborted')));
  }));
  await progress.stop();
  expect(events).toEqual([]);
});
