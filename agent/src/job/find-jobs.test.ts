import { rename, rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AGENT_ROUTES, callRoute, type Digest, type OwnJob } from '@cloister/protocol';
import { codeOf, createAgentFace, createWorkbench, READS_BOTH, submitNotebook, type AgentFace, type Workbench } from '../testing/index.js';

let bench: Workbench;
let face: AgentFace;
/** Oldest first: five of one name, and one of another. */
let jobs: Digest[];
beforeEach(async () => {
  bench = await createWorkbench();
  face = await createAgentFace(bench);
  const study = await bench.put('Étude/study.ipynb', READS_BOTH);
  jobs = [];
  for (const purpose of ['first', 'second', 'third', 'fourth', 'fifth']) jobs.push((await submitNotebook(bench, { notebook: study, purpose: `The ${purpose} look` })).job);
  jobs.push((await submitNotebook(bench, { notebook: await bench.put('other.ipynb', READS_BOTH) })).job);
});
afterEach(async () => {
  await face.close();
  await bench.close();
});

interface Page {
  readonly jobs: OwnJob[];
  readonly next?: string | undefined;
}
const search = async (query: { readonly name?: string; readonly limit?: string; readonly cursor?: string }): Promise<Page> => callRoute(face.client, AGENT_ROUTES.listOwnJobs, { query });
const found = async (name: string): Promise<Digest[]> => (await search({ name })).jobs.map(job => job.view.job);
const newest = (...at: number[]): (Digest | undefined)[] => at.map(index => jobs[index]);

describe('a search', () => {
  test('finds by a part of path or purpose, in any case and Unicode form, newest first', async () => {
    expect(await found('STUDY')).toEqual(newest(4, 3, 2, 1, 0));
    expect(await found('e\u0301tude/')).toEqual(newest(4, 3, 2, 1, 0));
    expect(await found('the third')).toEqual(newest(2));
    expect(await found('f')).toEqual(newest(4, 3, 0));
    // Where the workspace lies is not what a job is called.
    expect(await found('work')).toEqual([]);
    expect(await found('')).toHaveLength(6);
  });

  test('goes on by its cursor, asking the server for the jobs of the page alone', async () => {
    const first = await search({ name: 'study', limit: '2' });
    expect(first.jobs.map(job => job.purpose)).toEqual(['The fifth look', 'The fourth look']);
    expect(bench.operator.calls.filter(call => call === 'getJob')).toHaveLength(2);
    const second = await search({ name: 'study', limit: '2', cursor: first.next ?? '' });
    const third = await search({ name: 'study', limit: '2', cursor: second.next ?? '' });
    expect([...second.jobs, ...third.jobs].map(job => job.view.job)).toEqual(newest(2, 1, 0));
    expect(third.next).toBeUndefined();
  });

  test('a page does not jump where a job came or went meanwhile', async () => {
    const first = await search({ name: 'study', limit: '2' });
    await submitNotebook(bench, { notebook: `${bench.workspace}/Étude/study.ipynb`, purpose: 'The newest look' });
    const [fourth] = newest(3);
    if (fourth === undefined) throw new Error('no job');
    await bench.agent.cancel(fourth);
    await bench.agent.delete(fourth);
    const second = await search({ name: 'study', limit: '2', cursor: first.next ?? '' });
    expect(second.jobs.map(job => job.view.job)).toEqual(newest(2, 1));
    expect((await found('newest'))).toHaveLength(1);
    expect((await found('fourth'))).toEqual([]);
  });

  test('a job that was deleted at the server is passed over, and the page filled with the next', async () => {
    for (const job of newest(4, 2)) if (job !== undefined) bench.operator.jobs.delete(job);
    const { jobs: shown, next } = await search({ name: 'study', limit: '2' });
    expect(shown.map(job => job.view.job)).toEqual(newest(3, 1));
    expect((await search({ name: 'study', limit: '2', cursor: next ?? '' })).jobs.map(job => job.view.job)).toEqual(newest(0));
  });

  test.each(['x', '2026-01-01T00:00:00Z', `2026-01-01T00:00:00.000Z,sha256:${'0'.repeat(63)}`])('refuses the cursor %s', async cursor => {
    expect(await codeOf(search({ name: 'study', cursor }))).toBe('invalid_cursor');
  });

  test('refuses a text of over 200 characters', async () => {
    expect(await codeOf(search({ name: 'x'.repeat(201) }))).toBe('invalid_request');
  });
});

test('a list shows what this machine knows of its own jobs, and a job sent from elsewhere without it', async () => {
  const [job] = newest(5);
  if (job === undefined) throw new Error('no job');
  const own = (await search({ limit: '1' })).jobs[0];
  expect(own).toMatchObject({ notebook: 'other.ipynb', inputs: ['hospital/table', 'registry/table'], denials: [] });
  await rm(`${bench.home}/agent/jobs/${job.slice(7)}`, { recursive: true });
  const all = (await search({})).jobs;
  expect(all.find(shown => shown.view.job === job)).toEqual({ view: bench.operator.jobs.get(job)?.view, denials: [] });
});

test('results are named while they are there', async () => {
  const [job] = newest(5);
  if (job === undefined) throw new Error('no job');
  await bench.finish(job);
  const { folder, report } = await callRoute(face.client, AGENT_ROUTES.openResults, { params: { job }, body: {} });
  const shown = async (): Promise<OwnJob> => callRoute(face.client, AGENT_ROUTES.getOwnJob, { params: { job } });
  expect(await shown()).toMatchObject({ results: folder, report });
  await rename(`${bench.workspace}/${folder}`, `${bench.workspace}/moved`);
  const { results, report: gone } = await shown();
  expect([results, gone]).toEqual([undefined, undefined]);
});
