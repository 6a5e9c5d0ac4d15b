import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JobView } from '@cloister/protocol';
import { stateFolderOf } from '../state-folder.js';
import { codeOf, createWorkbench, READS_BOTH, submitNotebook, type Workbench } from '../testing/index.js';

let bench: Workbench;
let notebook: string;
beforeEach(async () => {
  bench = await createWorkbench();
  notebook = await bench.put('study.ipynb', READS_BOTH);
});
afterEach(async () => bench.close());

const submit = async (): Promise<JobView> => submitNotebook(bench, { notebook });

describe('following a job', () => {
  test('gives its state now and every change until it ends', async () => {
    const { job } = await submit();
    const states: string[] = [];
    for await (const view of bench.agent.watch(job, AbortSignal.timeout(20_000))) {
      states.push(view.cells === undefined ? view.state : `${view.state} ${view.cells.done}`);
      if (view.state === 'queued') bench.operator.advance(job, 'launching', { attempt: 1 });
      if (view.state === 'launching') bench.operator.advance(job, 'running', { cells: { done: 1, total: 2 } });
      if (view.state === 'running' && view.cells?.done === 1) bench.operator.advance(job, 'running', { cells: { done: 2, total: 2 } });
      if (view.cells?.done === 2) bench.operator.advance(job, 'failed', { code: 'runner_lost' });
    }
    expect(states).toEqual(['queued', 'launching', 'running 1', 'running 2', 'failed 2']);
  });

  test('resumes after the stream broke off, and misses nothing', async () => {
    const { job } = await submit();
    const states: string[] = [];
    for await (const view of bench.agent.watch(job, AbortSignal.timeout(20_000))) {
      states.push(view.state);
      if (view.state === 'queued') bench.operator.advance(job, 'launching');
      if (view.state === 'launching') {
        bench.operator.dropStreams();
        bench.operator.advance(job, 'running');
      }
      if (view.state === 'running') bench.operator.advance(job, 'cancelled');
    }
    expect(states).toEqual(['queued', 'launching', 'running', 'cancelled']);
    expect(bench.operator.calls).toContain('jobEvents 1');
  });

  test('watching can be broken off without touching the job', async () => {
    const { job } = await submit();
    const stop = new AbortController();
    const watching = (async () => {
      for await (const view of bench.agent.watch(job, stop.signal)) if (view.state === 'queued') stop.abort();
    })();
    expect(await codeOf(watching)).toBe('cancelled');
    expect(bench.operator.jobs.get(job)?.view.state).toBe('queued');
  });

  test('a job is named by its beginning or as the latest, and never guessed', async () => {
    const { job } = await submit();
    expect(await bench.agent.resolve(job)).toBe(job);
    expect(await bench.agent.resolve(job.slice(7, 13))).toBe(job);
    expect(await bench.agent.resolve('latest')).toBe(job);
    expect(await codeOf(bench.agent.resolve('zz'))).toBe('usage');
    const stranger = job.startsWith('sha256:0000') ? 'ffff' : '0000';
    expect(await codeOf(bench.agent.resolve(stranger))).toBe('not_found');
  });

  test('cancel, delete and retry', async () => {
    const { job } = await submit();
    expect(await codeOf(bench.agent.delete(job))).toBe('job_not_finished');
    expect((await bench.agent.cancel(job)).state).toBe('cancelled');
    expect(await codeOf(bench.agent.cancel(job))).toBe('job_finished');
    const { view } = await bench.agent.retry(job);
    expect(view.job).not.toBe(job);
    expect(bench.operator.jobs.get(view.job)?.manifest.payload.code).toEqual(bench.operator.jobs.get(job)?.manifest.payload.code);
    expect((await bench.agent.kept(view.job)).record.retryOf).toBe(job);
    await bench.agent.delete(job);
    expect(await codeOf(bench.agent.kept(job))).toBe('not_found');
    expect((await bench.agent.records()).map(record => record.job)).toEqual([view.job]);
  });

  test('a kept bundle that was changed is not sent again', async () => {
    const { job } = await submit();
    const path = join(stateFolderOf(bench.home).jobs, job.slice(7), 'bundle.age');
    const bytes = readFileSync(path);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await writeFile(path, bytes);
    expect(await codeOf(bench.agent.retry(job))).toBe('digest_mismatch');
  });
});
