import { readdirSync } from 'node:fs';
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { toUtf8, type Digest, type JobView } from '@cloister/protocol';
import { stateFolderOf } from '../state-folder.js';
import { codeOf, createWorkbench, errorOf, READS_BOTH, submitNotebook, type Workbench } from '../testing/index.js';

let bench: Workbench;
let notebook: string;
beforeEach(async () => {
  bench = await createWorkbench();
  notebook = await bench.put('study.ipynb', READS_BOTH);
});
afterEach(async () => bench.close());

const submit = async (): Promise<JobView> => submitNotebook(bench, { notebook });

describe('results', () => {
  const target = (job: Digest): string => join(bench.workspace, 'results', `study-${job.slice(7, 15)}`);
  const nothingUnsealed = async (job: Digest): Promise<void> => {
    await expect(access(target(job))).rejects.toThrow();
    const results = join(bench.workspace, 'results');
    if (await access(results).then(() => true, () => false)) expect(readdirSync(results)).toEqual([]);
  };

  test('are verified, then unsealed beside the notebook, with a report that anyone can check offline', async () => {
    const { job } = await submit();
    await bench.finish(job, { outputs: { 'study.ipynb': toUtf8('{}'), 'outputs/deep/metrics.json': toUtf8('{"auc":1}') } });
    const opened = await bench.agent.results(job);
    expect(opened).toMatchObject({ verdict: 'simulated', outcome: 'succeeded', folder: target(job) });
    expect(readdirSync(target(job)).sort()).toEqual(['index.json', 'outputs', 'study.attestation.json', 'study.ipynb']);
    expect(await readFile(join(target(job), 'outputs/deep/metrics.json'), 'utf8')).toBe('{"auc":1}');
    const again = await bench.agent.verify(opened.report, { outputs: target(job) });
    expect(again.verdict).toBe('simulated');
    expect(again.checks.find(check => check.id === 'opened_outputs')?.status).toBe('pass');
    expect(readdirSync(join(bench.workspace, 'results'))).toEqual([`study-${job.slice(7, 15)}`]);
    expect((await bench.agent.kept(job)).record.results).toBe(target(job));
  });

  test('are never written over what is there', async () => {
    const { job } = await submit();
    await bench.finish(job);
    await mkdir(target(job), { recursive: true });
    await writeFile(join(target(job), 'mine.txt'), 'mine');
    expect(await codeOf(bench.agent.results(job))).toBe('file_exists');
    expect(readdirSync(target(job))).toEqual(['mine.txt']);
    const into = join(bench.workspace, 'elsewhere');
    expect((await bench.agent.results(job, { into })).folder).toBe(into);
  });

  test('an opened file changed by one byte fails the check that names it', async () => {
    const { job } = await submit();
    await bench.finish(job);
    const { report, folder } = await bench.agent.results(job);
    for (const [name, check] of [['notebook.ipynb', 'opened_outputs'], ['index.json', 'opened_outputs']] as const) {
      const path = join(folder, name);
      const bytes = await readFile(path);
      await writeFile(path, Buffer.concat([bytes.subarray(0, -1), Buffer.from([bytes[bytes.length - 1] ?? 0 ^ 1, 32])]));
      const result = await bench.agent.verify(report, { outputs: folder });
      expect(result.checks.filter(item => item.status === 'fail').map(item => item.id)).toEqual([check]);
      await writeFile(path, bytes);
    }
    expect((await bench.agent.verify(report, { outputs: folder })).verdict).toBe('simulated');
    await writeFile(join(folder, 'planted.csv'), 'x');
    expect((await bench.agent.verify(report, { outputs: folder })).verdict).toBe('failed');
  });

  const LIES: readonly (readonly [string, string, (job: Digest) => Promise<void> | void])[] = [
    ['a sealed output changed by one byte', 'output_not_verified', job => flip(job, 'output/0')],
    ['a sealed index changed by one byte', 'output_not_verified', job => flip(job, 'index')],
    ['outputs of another job', 'output_not_verified', async job => {
      const stored = bench.operator.jobs.get(job);
      const report = stored?.report;
      const made = await bench.finish(job);
      if (stored === undefined || report === undefined) throw new Error('no job');
      stored.report = report;
      expect(made.report).not.toEqual(report);
    }],
    ['another job’s report', 'output_not_verified', async job => {
      const other = await submit();
      const made = await bench.finish(other.job);
      const stored = bench.operator.jobs.get(job);
      if (stored !== undefined) stored.report = made.report;
    }],
    ['a report changed by one byte', 'output_not_verified', job => {
      const report = bench.operator.jobs.get(job)?.report;
      const token = report?.tokens[0] ?? '';
      if (report !== undefined) report.tokens = [`${token.slice(0, -8)}${token.endsWith('AAAAAAAA') ? 'BAAAAAAA' : 'AAAAAAAA'}`];
    }]
  ];
  test.each(LIES)('of a lying operator are not unsealed: %s', async (_, code, lie) => {
    const { job } = await submit();
    await bench.finish(job);
    await lie(job);
    expect(await codeOf(bench.agent.results(job))).toBe(code);
    await nothingUnsealed(job);
  });

  test('without an appraisal policy nothing is unsealed, and it says what is missing', async () => {
    const { job } = await submit();
    await bench.finish(job);
    await rm(stateFolderOf(bench.home).appraisal);
    const error = await errorOf(bench.agent.results(job));
    expect(error.code).toBe('output_not_verified');
    expect(error.detail).toContain('inconclusive');
    await nothingUnsealed(job);
  });

  test('a second statement for an attempt is refused, though both are attested', async () => {
    const { job } = await submit();
    await bench.finish(job);
    await bench.agent.results(job);
    await bench.finish(job);
    expect(await codeOf(bench.agent.results(job, { into: join(bench.workspace, 'second') }))).toBe('report_rejected');
  });

  test.each([['index.json'], ['study.attestation.json'], ['INDEX.json']])('an index may not put a file in the place of %s', async path => {
    const { job } = await submit();
    await bench.finish(job, { outputs: { [path]: toUtf8('evil') } });
    expect(await codeOf(bench.agent.results(job))).toBe('output_refused');
    await nothingUnsealed(job);
  });

  test('there are none before the end, and none of a job that ended without a report', async () => {
    const { job } = await submit();
    expect(await codeOf(bench.agent.results(job))).toBe('job_not_finished');
    bench.operator.advance(job, 'failed', { code: 'release_denied' });
    const error = await errorOf(bench.agent.results(job));
    expect([error.code, error.detail]).toEqual(['not_found', 'the job ended as failed (release_denied) without a report']);
  });

  function flip(job: Digest, name: string): void {
    const outputs = bench.operator.jobs.get(job)?.outputs;
    const bytes = Buffer.from(outputs?.get(name) ?? []);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    outputs?.set(name, bytes);
  }
});
