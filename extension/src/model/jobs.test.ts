import { expect, test, vi } from 'vitest';
import { AppError, type JobView } from '@cloister/protocol';
import { digest, FakeAgent, jobEvent, ownJob } from '../jobs/testing/fake-agent';
import { Jobs, PAGE_SIZE, type IJobsPlace } from './jobs';
import type { IOwnJob } from './own-job';

const TIMES = (count: number): IOwnJob[] => Array.from({ length: count }, (_, at) => ownJob(count - at));

interface IRig {
  readonly agent: FakeAgent;
  readonly jobs: Jobs;
  readonly told: JobView[];
  readonly places: IJobsPlace[];
  /** Draws what waits for a frame; how often it was asked for. */
  readonly draw: () => number;
  readonly numbers: () => number[];
}

function rig(listed: IOwnJob[], place?: IJobsPlace): IRig {
  const agent = new FakeAgent();
  agent.state = 'connecting';
  agent.jobs = listed;
  let waiting: (() => void)[] = [];
  const places: IJobsPlace[] = [];
  const jobs = new Jobs({ agent, frame: draw => waiting.push(draw), onPlace: at => places.push(at), place: Promise.resolve(place) });
  const told: JobView[] = [];
  jobs.advanced.connect((_, own) => told.push(own.view));
  const draw = (): number => {
    const count = waiting.length;
    for (const frame of waiting.splice(0)) frame();
    waiting = [];
    return count;
  };
  return { agent, jobs, told, places, draw, numbers: () => jobs.page.jobs.map(({ view }) => Number.parseInt(view.job.slice(7), 16)) };
}

async function loaded({ agent, jobs }: IRig): Promise<void> {
  agent.state = 'ready';
  agent.resumed.emit();
  await vi.waitFor(() => expect(jobs.page.status).toBe('loaded'));
}

test('a line that was up before anybody listened is not waited for', async () => {
  const agent = new FakeAgent();
  agent.jobs = TIMES(3);
  const jobs = new Jobs({ agent, frame: draw => draw() });
  await vi.waitFor(() => expect(jobs.page).toMatchObject({ status: 'loaded', jobs: { length: 3 } }));
});

test('asks for one page of fifty, however many jobs there are, and only once the line is up', async () => {
  const all = rig(TIMES(10_000));
  expect(all.agent.calls).toEqual([]);
  expect(all.jobs.page.status).toBe('loading');
  await loaded(all);
  expect(all.agent.calls).toEqual([{ id: 'listOwnJobs', options: { query: { limit: '50' } } }]);
  expect(all.jobs.page).toMatchObject({ number: 1, hasNext: true });
  expect(all.jobs.page.jobs).toHaveLength(PAGE_SIZE);
});

test('goes to the next pages and back, each job on one page only', async () => {
  const all = rig(TIMES(120));
  await loaded(all);
  await all.jobs.nextPage();
  expect(all.numbers()).toEqual(Array.from({ length: 50 }, (_, at) => 70 - at));
  await all.jobs.nextPage();
  expect(all.jobs.page).toMatchObject({ number: 3, hasNext: false });
  expect(all.numbers()).toHaveLength(20);
  await all.jobs.nextPage();
  expect(all.jobs.page.number).toBe(3);
  await all.jobs.previousPage();
  await all.jobs.previousPage();
  await all.jobs.previousPage();
  expect(all.jobs.page.number).toBe(1);
  expect(all.numbers()[0]).toBe(120);
});

test('two clicks on Next while the first is under way go one page on', async () => {
  const all = rig(TIMES(200));
  await loaded(all);
  await Promise.all([all.jobs.nextPage(), all.jobs.nextPage()]);
  expect(all.jobs.page.number).toBe(2);
});

test('searches from the first page, and the later of two searches is what is shown', async () => {
  const all = rig(TIMES(120));
  await loaded(all);
  await all.jobs.nextPage();
  await Promise.all([all.jobs.search('study-1'), all.jobs.search('study-99')]);
  expect(all.jobs.page).toMatchObject({ number: 1, search: 'study-99', status: 'loaded' });
  expect(all.numbers()).toEqual([99]);
});

test('search and page come back after a reload; a cursor that is no good any more leads to the first page', async () => {
  const before = rig(TIMES(120));
  await loaded(before);
  await before.jobs.search('study');
  await before.jobs.nextPage();
  const place = before.places.at(-1);
  expect(place).toEqual({ search: 'study', cursors: ['', '50'] });
  const after = rig(TIMES(120), place);
  await loaded(after);
  expect(after.jobs.page).toMatchObject({ number: 2, search: 'study' });
  expect(after.agent.calls).toHaveLength(1);
  expect(after.numbers()[0]).toBe(70);
  const elsewhere = rig(TIMES(120), { search: '', cursors: ['', 'of another server'] });
  await loaded(elsewhere);
  expect(elsewhere.jobs.page.number).toBe(1);
});

test('a known job changes where it is, and never goes back', async () => {
  const all = rig(TIMES(3));
  await loaded(all);
  all.agent.events.emit(jobEvent(2, 5, { cells: { done: 7, total: 12 } }));
  all.agent.events.emit(jobEvent(2, 4, { state: 'attesting' }));
  all.agent.events.emit(jobEvent(2, 5, { cells: { done: 1, total: 12 } }));
  expect(all.numbers()).toEqual([3, 2, 1]);
  expect(all.jobs.page.jobs[1]?.view).toMatchObject({ state: 'running', version: 5, cells: { done: 7, total: 12 } });
  expect(all.told.map(view => view.version)).toEqual([5]);
  // The list was made before the event.
  await all.jobs.refresh();
  expect(all.jobs.page.jobs[1]?.view.version).toBe(5);
});

test('a job that is not known is asked for once and comes on top of the first page of all jobs', async () => {
  const all = rig(TIMES(3));
  await loaded(all);
  all.agent.jobs = TIMES(4);
  all.agent.events.emit(jobEvent(4, 1));
  all.agent.events.emit(jobEvent(4, 2, { cells: { done: 1, total: 2 } }));
  await vi.waitFor(() => expect(all.told).toHaveLength(2));
  expect(all.numbers()).toEqual([4, 3, 2, 1]);
  expect(all.agent.count('getOwnJob')).toBe(1);
  expect(all.jobs.find(digest(4))?.view.version).toBe(2);
});

test.each([
  ['another page', async ({ jobs }: IRig) => jobs.nextPage()],
  ['a search', async ({ jobs }: IRig) => jobs.search('study')]
])('%s does not jump when a job is submitted', async (_name, go) => {
  const all = rig(TIMES(120));
  await loaded(all);
  await go(all);
  const before = all.numbers();
  all.agent.jobs = TIMES(121);
  all.agent.events.emit(jobEvent(121, 1));
  await vi.waitFor(() => expect(all.told).toHaveLength(1));
  expect(all.numbers()).toEqual(before);
});

test('an old job that moves again does not come on top', async () => {
  const all = rig(TIMES(120));
  await loaded(all);
  all.agent.events.emit(jobEvent(3, 1));
  await vi.waitFor(() => expect(all.told).toHaveLength(1));
  expect(all.numbers()).toHaveLength(50);
  expect(all.numbers()[0]).toBe(120);
});

test('a job that is submitted while the first page is on its way is on it', async () => {
  const all = rig(TIMES(2));
  await loaded(all);
  let open = (): void => undefined;
  all.agent.gate = new Promise(resolve => (open = resolve));
  const refreshing = all.jobs.refresh();
  all.agent.gate = undefined;
  all.agent.jobs = TIMES(3);
  await all.jobs.fetch(digest(3));
  open();
  await refreshing;
  expect(all.numbers()).toEqual([3, 2, 1]);
});

test('more jobs than two pages hold on top lead to a page asked for anew', async () => {
  const all = rig(TIMES(50));
  await loaded(all);
  all.agent.jobs = TIMES(101);
  for (let n = 51; n <= 101; n += 1) all.agent.events.emit(jobEvent(n, 1));
  await vi.waitFor(() => expect(all.agent.count('listOwnJobs')).toBe(2));
  await vi.waitFor(() => expect(all.numbers()).toEqual(Array.from({ length: 50 }, (_, at) => 101 - at)));
});

test('the end of a job brings its report and denials before others hear of it, once', async () => {
  const all = rig(TIMES(2));
  await loaded(all);
  const ended = ownJob(2, { state: 'failed', code: 'release_denied', version: 6 }, { denials: ['the permission has expired'] });
  all.agent.jobs = [ended, ownJob(1)];
  const heard: IOwnJob[] = [];
  all.jobs.advanced.connect((_, own) => heard.push(own));
  all.agent.events.emit(jobEvent(2, 6, { state: 'failed', code: 'release_denied' }));
  expect(all.jobs.page.jobs[0]?.view.state).toBe('failed');
  await vi.waitFor(() => expect(heard).toHaveLength(1));
  expect(heard[0]?.denials).toEqual(['the permission has expired']);
  all.agent.events.emit(jobEvent(2, 6, { state: 'failed', code: 'release_denied' }));
  // A list says less than the reply about one job did.
  all.agent.jobs = [ownJob(2, { state: 'failed', code: 'release_denied', version: 6 }), ownJob(1)];
  await all.jobs.refresh();
  expect(all.jobs.page.jobs[0]?.denials).toEqual(['the permission has expired']);
  expect(heard).toHaveLength(1);
});

test('an end that comes while the job is asked for is asked for again', async () => {
  const all = rig(TIMES(1));
  await loaded(all);
  let open = (): void => undefined;
  all.agent.gate = new Promise(resolve => (open = resolve));
  const asked = all.jobs.fetch(digest(1));
  all.agent.gate = undefined;
  all.agent.jobs = [ownJob(1, { state: 'failed', code: 'release_denied', version: 9 }, { denials: ['the permission has expired'] })];
  all.agent.events.emit(jobEvent(1, 9, { state: 'failed', code: 'release_denied' }));
  open();
  await asked;
  await vi.waitFor(() => expect(all.told).toHaveLength(1));
  expect(all.jobs.find(digest(1))?.denials).toEqual(['the permission has expired']);
});

test('a resumed line refreshes the page, keeps its rows meanwhile and tells once of what ended unseen', async () => {
  const all = rig(TIMES(3));
  await loaded(all);
  all.agent.jobs = [ownJob(3), ownJob(2, { state: 'succeeded', version: 8 }), ownJob(1)];
  let open = (): void => undefined;
  all.agent.gate = new Promise(resolve => (open = resolve));
  all.agent.resumed.emit();
  await vi.waitFor(() => expect(all.jobs.page.status).toBe('loading'));
  expect(all.numbers()).toEqual([3, 2, 1]);
  all.agent.gate = undefined;
  open();
  await vi.waitFor(() => expect(all.told.map(view => view.state)).toEqual(['succeeded']));
  // The events that were missed come as well.
  all.agent.events.emit(jobEvent(2, 7, { state: 'sealing' }));
  all.agent.events.emit(jobEvent(2, 8, { state: 'succeeded' }));
  await all.jobs.fetch(digest(2));
  expect(all.told).toHaveLength(1);
});

test('a hundred events in a burst are one picture', async () => {
  const all = rig(TIMES(50));
  await loaded(all);
  all.draw();
  let emitted = 0;
  all.jobs.changed.connect(() => (emitted += 1));
  for (let version = 2; version <= 101; version += 1) all.agent.events.emit(jobEvent(1 + (version % 50), version));
  expect(emitted).toBe(0);
  expect(all.draw()).toBe(1);
  expect(emitted).toBe(1);
});

test('a page that cannot be read keeps its rows and can be asked for again', async () => {
  const all = rig(TIMES(60));
  await loaded(all);
  all.agent.handlers.set('listOwnJobs', () => new AppError('unavailable', 'down'));
  await all.jobs.nextPage();
  expect(all.jobs.page).toMatchObject({ status: 'failed', number: 1 });
  expect(all.numbers()).toHaveLength(50);
  all.agent.handlers.clear();
  await all.jobs.refresh();
  expect(all.jobs.page).toMatchObject({ status: 'loaded', number: 2 });
});

test('a job that is gone leaves the page; where it was the last of a page, the page before is shown', async () => {
  const all = rig(TIMES(51));
  await loaded(all);
  await all.jobs.nextPage();
  expect(all.numbers()).toEqual([1]);
  all.agent.jobs = TIMES(51).slice(0, 50);
  await all.jobs.refresh();
  expect(all.jobs.page).toMatchObject({ number: 1, status: 'loaded' });
  all.agent.jobs = TIMES(51).slice(1, 50);
  await expect(all.jobs.fetch(digest(51))).rejects.toMatchObject({ code: 'not_found' });
  expect(all.numbers()[0]).toBe(50);
  expect(all.jobs.find(digest(51))).toBeUndefined();
});

test('jobs that were told of long ago are forgotten, those on the page are not', async () => {
  const all = rig(TIMES(1200));
  await loaded(all);
  for (let n = 1; n <= 1100; n += 1) await all.jobs.fetch(digest(n));
  expect(all.jobs.find(digest(1))).toBeUndefined();
  expect(all.jobs.find(digest(1200))).toBeDefined();
});
