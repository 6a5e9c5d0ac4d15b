import { nullTranslator } from '@jupyterlab/translation';
import { expect, test } from 'vitest';
import { AGENT_ROUTES, AppError } from '@cloister/protocol';
import type { IOwnJob } from '../model/own-job';
import { isOpenOutcome } from './open-outcome';
import { isReachable, openOutputs } from './open-outputs';
import { digest, FakeAgent, ownJob } from './testing/fake-agent';

const trans = nullTranslator.load('cloister');
const FINISHED = ownJob(1, { state: 'succeeded', report: digest(9) }, { notebook: 'work/study.ipynb' });
const FOLDER = 'work/results/study-00000000';

interface IRig {
  readonly agent: FakeAgent;
  readonly opened: string[];
  readonly open: () => ReturnType<typeof openOutputs>;
}

function rig(own: IOwnJob, existing: readonly string[] = []): IRig {
  const agent = new FakeAgent();
  agent.jobs = [own];
  agent.handlers.set(AGENT_ROUTES.openResults.id, () => ({
    verdict: 'simulated', checks: [], outcome: 'succeeded', folder: FOLDER, report: `${FOLDER}/study.attestation.json`,
    files: [{ path: 'outputs/a.csv', kind: 'file', mediaType: 'text/csv', size: 1 }, { path: 'study.ipynb', kind: 'notebook', mediaType: 'application/x-ipynb+json', size: 2 }]
  }));
  const opened: string[] = [];
  const deps = {
    agent,
    jobs: { fetch: async () => agent.call(AGENT_ROUTES.getOwnJob, { params: { job: own.view.job } }) },
    trans,
    exists: async (path: string) => Promise.resolve(existing.includes(path)),
    open: async (path: string) => {
      opened.push(path);
      return Promise.resolve();
    }
  };
  return { agent, opened, open: async () => openOutputs(deps, own.view.job) };
}

test('unseals, opens the executed notebook and says where the files are', async () => {
  const { open, opened } = rig(FINISHED);
  expect(await open()).toEqual({ kind: 'opened', verdict: 'simulated', folder: FOLDER, files: 2 });
  expect(opened).toEqual([`${FOLDER}/study.ipynb`]);
});

test('outputs that this machine opened before are shown where they lie', async () => {
  const { agent, open, opened } = rig({ ...FINISHED, results: FOLDER }, [`${FOLDER}/study.ipynb`]);
  expect(await open()).toEqual({ kind: 'reopened', folder: FOLDER });
  expect(opened).toEqual([`${FOLDER}/study.ipynb`]);
  expect(agent.count(AGENT_ROUTES.openResults.id)).toBe(0);
});

test('a folder in the way that this machine did not make is not taken for outputs', async () => {
  const { agent, open, opened } = rig(FINISHED, [`${FOLDER}/study.ipynb`]);
  agent.handlers.set(AGENT_ROUTES.openResults.id, () => new AppError('file_exists', 'it is there already'));
  expect(await open()).toMatchObject({ kind: 'refused', problem: { code: 'file_exists' } });
  expect(opened).toEqual([]);
});

test('a report that does not verify gives its failed checks, and nothing is opened', async () => {
  const { agent, open, opened } = rig(FINISHED);
  const named = 'Outputs';
  const failed = { id: 'subjects', title: named, status: 'fail', expected: 'a', actual: 'b' };
  agent.handlers.set(AGENT_ROUTES.openResults.id, () => new AppError('output_not_verified', 'failed: Outputs', { members: { verdict: 'failed', checks: [failed, 'no check', { id: 1 }] } }));
  const outcome = await open();
  expect(outcome).toMatchObject({ kind: 'refused', problem: { code: 'output_not_verified' }, checks: [failed] });
  expect(outcome.kind === 'refused' && outcome.checks).toHaveLength(1);
  expect(opened).toEqual([]);
});

test('what lies outside of Jupyter’s folder is named and not opened', async () => {
  const { agent, open, opened } = rig(FINISHED);
  agent.handlers.set(AGENT_ROUTES.openResults.id, () => ({
    verdict: 'verified', checks: [], outcome: 'succeeded', folder: '/elsewhere', report: '/elsewhere/r', files: [{ path: 'study.ipynb', kind: 'notebook', mediaType: 'x/y', size: 2 }]
  }));
  expect(await open()).toMatchObject({ kind: 'opened', folder: '/elsewhere' });
  expect(opened).toEqual([]);
  expect(isReachable('../up')).toBe(false);
});

test.each([undefined, null, 'opened', {}, { kind: 'other' }])('%o is no outcome', value => {
  expect(isOpenOutcome(value)).toBe(false);
});
