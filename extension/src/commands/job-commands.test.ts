// @vitest-environment jsdom
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { beforeEach, expect, test, vi } from 'vitest';
import { AGENT_ROUTES, AppError } from '@cloister/protocol';
import { digest, FakeAgent, ownJob } from '../jobs/testing/fake-agent';
import { Jobs } from '../model/jobs';
import { addCancelJob } from './cancel-job';
import { addDeleteJob } from './delete-job';
import { CommandIDs } from './ids';
import { addOpenNotebook } from './open-notebook';
import { addOpenOutputs } from './open-outputs';
import { addRetryJob } from './retry-job';
import { addShowJobs } from './show-jobs';

const lab = vi.hoisted(() => ({
  accept: true,
  dialogs: new Array<{ title: string; body: string; defaultButton?: number }>(),
  errors: new Array<{ message: string; actions: { label: string; callback: () => void }[] }>()
}));
vi.mock('@jupyterlab/ui-components', () => ({ stopIcon: {}, deleteIcon: {}, refreshIcon: {}, notebookIcon: {}, folderIcon: {} }));
vi.mock('../icons', () => ({ cloisterIcon: undefined }));
vi.mock('@jupyterlab/apputils', () => ({
  Dialog: { okButton: () => ({}), cancelButton: () => ({}), warnButton: () => ({}) },
  showDialog: async (options: { title: string; body: string }) => {
    lab.dialogs.push(options);
    return Promise.resolve({ button: { accept: lab.accept } });
  },
  Notification: { error: (message: string, options: { actions?: [] }) => lab.errors.push({ message, actions: options.actions ?? [] }) }
}));

const trans = nullTranslator.load('cloister');

interface IRig {
  readonly agent: FakeAgent;
  readonly jobs: Jobs;
  readonly commands: CommandRegistry;
  readonly opened: unknown[];
}

async function rig(existing: readonly string[] = []): Promise<IRig> {
  const agent = new FakeAgent();
  agent.jobs = [ownJob(2, { state: 'succeeded', report: digest(9) }), ownJob(1)];
  const jobs = new Jobs({ agent, frame: draw => queueMicrotask(draw) });
  await jobs.refresh();
  const commands = new CommandRegistry();
  const opened: unknown[] = [];
  commands.addCommand('docmanager:open', { describedBy: {}, execute: args => void opened.push(args['path']) });
  const deps = { commands, agent, jobs, trans, exists: async (path: string) => Promise.resolve(existing.includes(path)) };
  for (const add of [addCancelJob, addDeleteJob, addRetryJob, addOpenNotebook, addOpenOutputs]) add(deps);
  return { agent, jobs, commands, opened };
}

beforeEach(() => {
  lab.accept = true;
  lab.dialogs.length = 0;
  lab.errors.length = 0;
});

test('every command describes its arguments', async () => {
  const { commands } = await rig();
  for (const command of [CommandIDs.cancelJob, CommandIDs.deleteJob, CommandIDs.retryJob, CommandIDs.openNotebook, CommandIDs.openOutputs]) {
    expect(await commands.describedBy(command), command).toMatchObject({ args: { required: ['job'] } });
    expect(commands.label(command)).not.toBe('');
    expect(commands.caption(command)).not.toBe('');
  }
});

test('cancels and shows the new state', async () => {
  const { agent, jobs, commands } = await rig();
  agent.handlers.set(AGENT_ROUTES.cancelOwnJob.id, () => {
    agent.jobs = [ownJob(2), ownJob(1, { state: 'cancelled', code: 'cancelled', version: 2 })];
    return agent.jobs[1]?.view;
  });
  await commands.execute(CommandIDs.cancelJob, { job: digest(1) });
  expect(jobs.find(digest(1))?.view.state).toBe('cancelled');
  expect(lab.errors).toEqual([]);
});

test('an error is told with what to do, without a stack', async () => {
  const { agent, commands } = await rig();
  agent.handlers.set(AGENT_ROUTES.cancelOwnJob.id, () => new AppError('job_finished', 'the job has succeeded'));
  await commands.execute(CommandIDs.cancelJob, { job: digest(1) });
  expect(lab.errors.map(({ message }) => message)).toEqual(['The job has ended already.']);
  lab.errors[0]?.actions[0]?.callback();
  expect(lab.dialogs[0]).toMatchObject({ body: 'the job has succeeded\n\nLook at its outputs, or retry it.\n\n(job_finished)' });
  await commands.execute(CommandIDs.cancelJob, { job: 'nonsense' });
  expect(lab.errors).toHaveLength(2);
});

test('deleting asks first, with Keep as the default', async () => {
  const { agent, jobs, commands } = await rig();
  agent.handlers.set(AGENT_ROUTES.deleteOwnJob.id, () => {
    agent.jobs = agent.jobs.slice(1);
  });
  lab.accept = false;
  await commands.execute(CommandIDs.deleteJob, { job: digest(2) });
  expect(agent.count(AGENT_ROUTES.deleteOwnJob.id)).toBe(0);
  expect(lab.dialogs[0]?.title).toBe('Delete the job of study-2.ipynb?');
  expect(lab.dialogs[0]?.defaultButton).toBe(0);
  expect(lab.dialogs[0]?.body).toMatch(/^You have not opened its outputs\./);
  lab.accept = true;
  await commands.execute(CommandIDs.deleteJob, { job: digest(2) });
  expect(jobs.page.jobs.map(({ view }) => view.job)).toEqual([digest(1)]);
});

test('retries as a new job, and shows that one', async () => {
  const { agent, jobs, commands } = await rig();
  const shown: unknown[] = [];
  addShowJobs({ commands, trans, show: job => shown.push(job), opensOnSubmit: () => true });
  agent.handlers.set(AGENT_ROUTES.retryOwnJob.id, () => {
    agent.jobs = [ownJob(3, { state: 'queued', attempt: 0 }), ...agent.jobs];
    return agent.jobs[0]?.view;
  });
  await commands.execute(CommandIDs.retryJob, { job: digest(2) });
  expect(jobs.page.jobs[0]?.view.job).toBe(digest(3));
  expect(shown).toEqual([digest(3)]);
});

test('opens the notebook where it is, and says where it is not', async () => {
  const { commands, opened } = await rig(['study-2.ipynb']);
  await commands.execute(CommandIDs.openNotebook, { job: digest(2) });
  expect(opened).toEqual(['study-2.ipynb']);
  await commands.execute(CommandIDs.openNotebook, { job: digest(1) });
  expect(opened).toHaveLength(1);
  expect(lab.errors.map(({ message }) => message)).toEqual(['There is no such notebook.']);
});

test('outputs that are opened twice at once are unsealed once; a caller that shows errors itself gets them', async () => {
  const { agent, commands } = await rig();
  agent.handlers.set(AGENT_ROUTES.openResults.id, () => new AppError('output_not_verified', 'failed: x'));
  const both = await Promise.all([commands.execute(CommandIDs.openOutputs, { job: digest(2), quiet: true }), commands.execute(CommandIDs.openOutputs, { job: digest(2), quiet: true })]);
  expect(both).toMatchObject([{ kind: 'refused' }, { kind: 'refused' }]);
  expect(agent.count(AGENT_ROUTES.openResults.id)).toBe(1);
  expect(lab.errors).toEqual([]);
  await commands.execute(CommandIDs.openOutputs, { job: digest(2) });
  expect(lab.errors).toHaveLength(1);
});

test('the sidebar comes forward after submitting only where the settings say so', async () => {
  const commands = new CommandRegistry();
  const shown: unknown[] = [];
  let opens = false;
  addShowJobs({ commands, trans, show: job => shown.push(job), opensOnSubmit: () => opens });
  await commands.execute(CommandIDs.showJobs, { job: digest(1), submitted: true });
  expect(shown).toEqual([]);
  opens = true;
  await commands.execute(CommandIDs.showJobs, { job: digest(1), submitted: true });
  await commands.execute(CommandIDs.showJobs, {});
  expect(shown).toEqual([digest(1), undefined]);
});
