// @vitest-environment jsdom
import type { JSX } from 'react';
import { act, cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import { nullTranslator } from '@jupyterlab/translation';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { AGENT_ROUTES, AppError } from '@cloister/protocol';
import { CommandIDs } from '../commands/ids';
import { Jobs } from '../model/jobs';
import type { IOwnJob } from '../model/own-job';
import { problemOf } from '../model/problem';
import type { IJobContext } from './job-context';
import { JobsView, type IWish } from './jobs-view';
import type { OpenOutcome } from './open-outcome';
import { digest, FakeAgent, jobEvent, ownJob } from './testing/fake-agent';

vi.mock('@jupyterlab/ui-components', async () => (await import('./testing/lab-stand-ins')).uiComponents());
vi.mock('@jupyterlab/apputils', async () => (await import('./testing/lab-stand-ins')).apputils());

const trans = nullTranslator.load('cloister');

beforeEach(() => {
  // jsdom draws nothing, so it scrolls nothing.
  Element.prototype.scrollIntoView = vi.fn();
});
afterEach(cleanup);

interface IShown {
  readonly agent: FakeAgent;
  readonly jobs: Jobs;
  readonly ran: [string, unknown][];
  readonly show: (wish?: IWish) => void;
}

async function shown(listed: IOwnJob[], context: Partial<IJobContext> = {}): Promise<IShown> {
  const agent = new FakeAgent();
  agent.state = 'connecting';
  agent.jobs = listed;
  const jobs = new Jobs({ agent, frame: draw => queueMicrotask(draw) });
  const ran: [string, unknown][] = [];
  const all: IJobContext = {
    trans,
    can: () => true,
    run: async (command, args) => {
      ran.push([command, args]);
      return Promise.resolve();
    },
    revealFolder: path => ran.push(['folder', path]),
    showPurpose: true,
    ...context
  };
  const view = (wish?: IWish): JSX.Element => <JobsView agent={agent} jobs={jobs} context={all} visible {...(wish === undefined ? {} : { wish })} />;
  const { rerender } = render(view());
  await act(async () => {
    agent.resumed.emit();
    await vi.waitFor(() => expect(jobs.page.status).not.toBe('loading'));
  });
  return { agent, jobs, ran, show: wish => rerender(view(wish)) };
}

const row = (name: RegExp | string): HTMLElement => screen.getByRole('button', { name });

test('without jobs it teaches the first step, and there is nothing to search', async () => {
  await shown([]);
  expect(screen.getByRole('heading', { name: 'No jobs yet' })).toBeDefined();
  expect(screen.getByText('Press Submit to TEE in its toolbar.')).toBeDefined();
  expect(screen.queryByRole('searchbox')).toBeNull();
});

test('a row says name, state and time; a running one shows its cells', async () => {
  await shown([ownJob(2, { cells: { done: 6, total: 12 } }), ownJob(1, { state: 'succeeded', updatedAt: '2026-01-01T00:04:05.000Z' })]);
  expect(row(/study-2\.ipynb.*Running, cell 7 of 12/)).toBeDefined();
  expect(screen.getByRole('progressbar', { name: 'Cells done of study-2.ipynb' })).toMatchObject({ max: 12, value: 6 });
  expect(row(/study-1\.ipynb.*Finished, not opened yet.*3 min 5 s/)).toBeDefined();
  expect(screen.getByText('You can close this tab; jobs go on.')).toBeDefined();
});

test('an event changes a row in place', async () => {
  const { agent } = await shown([ownJob(1, { cells: { done: 1, total: 3 } })]);
  const before = row(/study-1/);
  await act(async () => agent.events.emit(jobEvent(1, 2, { cells: { done: 2, total: 3 } })));
  expect(row(/Running, cell 3 of 3/)).toBe(before);
});

test('a finished job offers to verify and open, and says whose word it is', async () => {
  const outcome: OpenOutcome = { kind: 'opened', verdict: 'simulated', folder: 'results/study-1-00000000', files: 3 };
  const { ran } = await shown([ownJob(1, { state: 'succeeded', report: digest(9) })], { run: async () => Promise.resolve(outcome) });
  fireEvent.click(row(/study-1/));
  expect(row(/study-1/).getAttribute('aria-expanded')).toBe('true');
  expect(screen.getByText(/^So says the operator\./)).toBeDefined();
  fireEvent.click(row('Verify and open outputs'));
  await screen.findByText('Opened 3 files');
  expect(screen.getByText('Simulated').className).toContain('jp-mod-caution');
  expect(document.querySelector('.jp-mod-good')).toBeNull();
  fireEvent.click(row('results/study-1-00000000'));
  expect(ran).toEqual([['folder', 'results/study-1-00000000']]);
});

test('only a verified report is green', async () => {
  const outcome: OpenOutcome = { kind: 'opened', verdict: 'verified', folder: 'results/study-1', files: 1 };
  await shown([ownJob(1, { state: 'succeeded', report: digest(9) })], { run: async () => Promise.resolve(outcome) });
  fireEvent.click(row(/study-1/));
  expect(document.querySelector('.jp-mod-good')).toBeNull();
  fireEvent.click(row('Verify and open outputs'));
  expect((await screen.findByText('Verified')).className).toContain('jp-mod-good');
});

test('a report that does not verify shows the failed checks, and that nothing was unsealed', async () => {
  const problem = problemOf(new AppError('output_not_verified', 'failed: all'), trans);
  const named = 'Outputs are those that the report names';
  const checks = [{ id: 'subjects', title: named, status: 'fail' as const, expected: 'sha256:aa', actual: '<img src=x onerror=alert(1)>' }];
  await shown([ownJob(1, { state: 'succeeded', report: digest(9) })], { run: async () => Promise.resolve({ kind: 'refused', problem, checks }) });
  fireEvent.click(row(/study-1/));
  fireEvent.click(row('Verify and open outputs'));
  const alert = await screen.findByRole('alert');
  expect(alert.textContent).toContain(named);
  expect(alert.textContent).toContain('<img src=x onerror=alert(1)>');
  expect(alert.textContent).toContain('No file was unsealed.');
  expect(document.querySelector('img')).toBeNull();
});

test('a failed job says why, whose turn it is and what the brokers said', async () => {
  await shown([ownJob(1, { state: 'failed', code: 'release_denied' }, { denials: ['all uses that the owner allows are used'] })]);
  fireEvent.click(row(/study-1/));
  expect(screen.getByText(/^An owner’s broker denied the keys/)).toBeDefined();
  expect(screen.getByText('The owner’s turn:')).toBeDefined();
  expect(screen.getByText('all uses that the owner allows are used')).toBeDefined();
  expect(screen.queryByRole('button', { name: 'Retry' })).toBeNull();
  expect(screen.queryByRole('button', { name: /Verify/ })).toBeNull();
  expect(screen.getByText('It ended without a report, so there are no outputs to open.')).toBeDefined();
});

test.each<[Parameters<typeof ownJob>[1], string[]]>([
  [{ state: 'running' }, ['Open notebook', 'Cancel']],
  [{ state: 'waiting', attempt: 0, code: 'approval_missing' }, ['Open notebook', 'Cancel']],
  [{ state: 'succeeded', report: digest(9) }, ['Verify and open outputs', 'Report', 'Open notebook', 'Delete…']],
  [{ state: 'failed', code: 'cell_failed', report: digest(9) }, ['Verify and open outputs', 'Report', 'Open notebook', 'Delete…']],
  [{ state: 'lost', code: 'runner_lost' }, ['Open notebook', 'Retry', 'Delete…']],
  [{ state: 'cancelled', code: 'cancelled' }, ['Open notebook', 'Retry', 'Delete…']]
])('%o can do %o', async (view, labels) => {
  const { ran } = await shown([ownJob(1, view)]);
  fireEvent.click(row(/study-1/));
  const actions = document.querySelector('.jp-Cloister-actions');
  expect([...(actions?.querySelectorAll('button') ?? [])].map(button => button.textContent)).toEqual(labels);
  fireEvent.click(row('Open notebook'));
  expect(ran).toEqual([[CommandIDs.openNotebook, { job: digest(1), quiet: true }]]);
});

test('what has no plugin has no button', async () => {
  await shown([ownJob(1, { state: 'succeeded', report: digest(9) })], { can: command => command !== CommandIDs.openReport });
  fireEvent.click(row(/study-1/));
  expect(screen.queryByRole('button', { name: 'Report' })).toBeNull();
  expect(row('Verify and open outputs')).toBeDefined();
});

test('hostile texts are text: markup, right-to-left, five thousand characters', async () => {
  const long = 'x'.repeat(5000);
  await shown([
    ownJob(1, { state: 'failed', code: 'release_denied' }, { notebook: 'a/<b onmouseover=alert(1)>\u202egnp.ipynb', purpose: long, inputs: ['hospital/visits'], denials: ['<script>alert(1)</script>\u0000', long] })
  ]);
  fireEvent.click(row(/<b onmouseover=alert\(1\)>U\+202Egnp\.ipynb/));
  expect(screen.getByText('<script>alert(1)</script>U+0000')).toBeDefined();
  expect(document.querySelector('script, b, img')).toBeNull();
  expect(document.querySelectorAll('details')).toHaveLength(2);
  expect(screen.getAllByText('All 5000 characters')).toHaveLength(2);
});

test('a long name is cut, and its row stays one line', async () => {
  await shown([ownJob(1, {}, { notebook: `${'n'.repeat(5000)}.ipynb` })]);
  expect(row(/^n{120}…/)).toBeDefined();
});

test('searches after a pause in typing, and leads back from nothing found', async () => {
  const { agent, jobs } = await shown([ownJob(2), ownJob(1)]);
  const field = screen.getByRole('searchbox', { name: 'Search jobs by notebook or purpose' });
  for (const name of ['s', 'st', 'study-9']) fireEvent.change(field, { target: { value: name } });
  await screen.findByText(/No job sent from this machine has “study-9”/);
  expect(agent.count(AGENT_ROUTES.listOwnJobs.id)).toBe(2);
  fireEvent.click(row('Show all jobs'));
  await screen.findByRole('button', { name: /study-2/ });
  expect(jobs.page.search).toBe('');
});

test('pages of fifty: older and newer', async () => {
  await shown(Array.from({ length: 60 }, (_, at) => ownJob(60 - at)));
  expect(screen.getAllByRole('listitem')).toHaveLength(50);
  const pager = within(screen.getByRole('navigation', { name: 'Pages of jobs' }));
  expect(pager.getByRole('button', { name: 'Newer' })).toHaveProperty('disabled', true);
  fireEvent.click(pager.getByRole('button', { name: 'Older' }));
  await pager.findByText('Page 2');
  expect(screen.getAllByRole('listitem')).toHaveLength(10);
});

test('a job that is wished for is opened and focused, also where it is on another page', async () => {
  const { jobs, show } = await shown(Array.from({ length: 60 }, (_, at) => ownJob(60 - at)));
  await act(async () => {
    await jobs.fetch(digest(3));
  });
  show({ job: digest(3), count: 1 });
  const wanted = row(/study-3\.ipynb/);
  expect(wanted.getAttribute('aria-expanded')).toBe('true');
  expect(document.activeElement).toBe(wanted);
  expect(screen.getAllByRole('listitem')).toHaveLength(51);
});

test('tells screen readers of ends, not of cells', async () => {
  const { agent } = await shown([ownJob(1)]);
  await act(async () => agent.events.emit(jobEvent(1, 2, { cells: { done: 1, total: 3 } })));
  const live = document.querySelector('.jp-Cloister-visuallyHidden');
  expect(live?.textContent).toBe('');
  agent.jobs = [ownJob(1, { state: 'failed', code: 'cell_failed', version: 3 })];
  await act(async () => agent.events.emit(jobEvent(1, 3, { state: 'failed', code: 'cell_failed' })));
  await waitFor(() => expect(live?.textContent).toBe('study-1.ipynb: Failed'));
});

test('a list that cannot be read says so and is tried again', async () => {
  const agent = new FakeAgent();
  agent.handlers.set(AGENT_ROUTES.listOwnJobs.id, () => new AppError('unavailable', 'down'));
  const jobs = new Jobs({ agent, frame: draw => queueMicrotask(draw) });
  render(<JobsView agent={agent} jobs={jobs} context={{ trans, can: () => true, run: async () => Promise.resolve(), showPurpose: true }} visible />);
  expect(screen.getByText('Reading your jobs…')).toBeDefined();
  await act(async () => agent.resumed.emit());
  await screen.findByText('The list of jobs could not be read.');
  agent.handlers.clear();
  agent.jobs = [ownJob(1)];
  fireEvent.click(row('Try again'));
  expect(await screen.findByRole('button', { name: /study-1/ })).toBeDefined();
});
