import { Signal } from '@lumino/signaling';
import { AGENT_ROUTES, AppError, type Digest, type JobEvent } from '@cloister/protocol';
import type { IAgent, IJobs } from '../tokens';
import { advance, hasEnded, reconcile, withChanged, without, withNewest } from './jobs-rows';
import type { IJobPage, IOwnJob } from './own-job';

/** Jobs on one page. */
export const PAGE_SIZE = 50;

/** New jobs lengthen the first page, so that the pages after it stay as they are; from here on it is asked for anew. */
const LONGEST_PAGE = 2 * PAGE_SIZE;

/** Jobs kept for `find`. Those that were not needed for the longest time are forgotten. */
const MOST_KNOWN = 1000;

/** Unknown jobs that are asked for at the same time; a burst shall not take all of the browser's connections. */
const MOST_FETCHES = 3;

/** Where in the list one is: what a reload brings back. A cursor for each page, the first page's is empty. */
export interface IJobsPlace {
  readonly search: string;
  readonly cursors: readonly string[];
}

const START: IJobsPlace = { search: '', cursors: [''] };

export interface IJobsDeps {
  readonly agent: Pick<IAgent, 'state' | 'call' | 'events' | 'resumed'>;
  /** Runs what it is given once before the next picture is drawn. */
  readonly frame: (draw: () => void) => void;
  /** Where one was before a reload. Nothing is read before it is known. Must not fail. */
  readonly place?: Promise<IJobsPlace | undefined>;
  readonly onPlace?: (place: IJobsPlace) => void;
}

/**
 * The jobs, live. Nothing is asked for by the clock: events change what is known, and a resumed line has the page read
 * anew. A job never goes back to a lower version, whatever order events and replies arrive in.
 */
export class Jobs implements IJobs {
  constructor(deps: IJobsDeps) {
    this.#deps = deps;
    this.#restored = (deps.place ?? Promise.resolve(undefined)).then(place => this.#restore(place ?? START));
    deps.agent.events.connect(this.#onEvent, this);
    deps.agent.resumed.connect(this.#onResumed, this);
    // The line may have been up before there was anybody to tell.
    if (deps.agent.state === 'ready') this.#onResumed();
  }

  readonly changed = new Signal<this, void>(this);
  readonly advanced = new Signal<this, IOwnJob>(this);

  get page(): IJobPage {
    return this.#page;
  }

  find(job: Digest): IOwnJob | undefined {
    return this.#known.get(job);
  }

  async fetch(job: Digest): Promise<IOwnJob> {
    const running = this.#fetches.get(job);
    if (running !== undefined) return running;
    const fetching = this.#ask(job).finally(() => this.#fetches.delete(job));
    this.#fetches.set(job, fetching);
    return fetching;
  }

  async search(name: string): Promise<void> {
    if (name !== this.#place.search) await this.#load({ search: name, cursors: [''] });
  }

  async nextPage(): Promise<void> {
    if (this.#next !== undefined) await this.#load({ ...this.#place, cursors: [...this.#place.cursors, this.#next] });
  }

  async previousPage(): Promise<void> {
    if (this.#place.cursors.length > 1) await this.#load({ ...this.#place, cursors: this.#place.cursors.slice(0, -1) });
  }

  async refresh(): Promise<void> {
    await this.#load(this.#place);
  }

  dispose(): void {
    this.#disposed = true;
    Signal.clearData(this);
  }

  readonly #deps: IJobsDeps;
  readonly #known = new Map<Digest, IOwnJob>();
  readonly #fetches = new Map<Digest, Promise<IOwnJob>>();
  /** The last event of jobs that nothing is known of yet. */
  readonly #strangers = new Map<Digest, JobEvent>();
  readonly #asked = new Set<Digest>();
  /** New jobs that came while the first page was on its way. */
  #late: IOwnJob[] = [];
  readonly #restored: Promise<void>;
  #page: IJobPage = { jobs: [], number: 1, hasNext: false, search: '', status: 'loading' };
  /** Where one is going or was last going: a failed step is tried again by `refresh`. */
  #place = START;
  /** Cursor of the page after the one that is shown. */
  #next: string | undefined;
  #loads = 0;
  #drawing = false;
  #disposed = false;

  async #load(place: IJobsPlace): Promise<void> {
    const mine = ++this.#loads;
    this.#place = place;
    this.#next = undefined;
    this.#late = [];
    this.#show({ ...this.#page, status: 'loading' });
    try {
      const { jobs, next } = await this.#deps.agent.call(AGENT_ROUTES.listOwnJobs, { query: queryOf(place) });
      // What was asked for later is what shall be seen.
      if (mine === this.#loads) await this.#arrive(place, jobs, next);
    } catch (error) {
      if (mine === this.#loads) await this.#miss(place, error);
    }
  }

  async #arrive(place: IJobsPlace, told: readonly IOwnJob[], next: string | undefined): Promise<void> {
    const jobs = told.map(job => this.#learn(job, 'listed'));
    const number = place.cursors.length;
    // The last job of the last page was deleted.
    if (jobs.length === 0 && number > 1) return this.#load({ ...place, cursors: place.cursors.slice(0, -1) });
    this.#next = next;
    this.#show({ jobs, number, hasNext: next !== undefined, search: place.search, status: 'loaded' });
    for (const own of this.#late.splice(0)) this.#top(own);
    this.#deps.onPlace?.(place);
    return undefined;
  }

  async #miss(place: IJobsPlace, error: unknown): Promise<void> {
    // The cursor is of another server, or of before a restore.
    if (error instanceof AppError && error.code === 'invalid_cursor' && place.cursors.length > 1) return this.#load({ ...place, cursors: [''] });
    this.#show({ ...this.#page, search: place.search, status: 'failed' });
    return undefined;
  }

  #onResumed(): void {
    void this.#restored.then(async () => this.refresh());
  }

  /** Whoever has moved on meanwhile stays there. */
  #restore(place: IJobsPlace): void {
    if (this.#loads > 0 || place === START) return;
    this.#place = place;
    this.#show({ ...this.#page, number: place.cursors.length, search: place.search });
  }

  #onEvent(_agent: unknown, event: JobEvent): void {
    if (this.#known.has(event.job)) {
      this.#apply(event);
      return;
    }
    this.#strangers.set(event.job, event);
    this.#meetStrangers();
  }

  #apply(event: JobEvent): void {
    const known = this.#known.get(event.job);
    const next = known === undefined ? undefined : advance(known, event);
    if (next !== undefined && next !== known) this.#moved(next, 'event');
  }

  /** A job that nothing is known of yet is asked for once, whatever happens to it meanwhile. */
  #meetStrangers(): void {
    for (const [job] of this.#strangers) {
      if (this.#asked.size >= MOST_FETCHES) return;
      if (this.#asked.has(job)) continue;
      this.#asked.add(job);
      void this.#meet(job).finally(() => {
        this.#asked.delete(job);
        this.#meetStrangers();
      });
    }
  }

  async #meet(job: Digest): Promise<void> {
    try {
      // It may have come with a page, while it waited for its turn.
      if (!this.#known.has(job)) this.advanced.emit(await this.fetch(job));
      const latest = this.#strangers.get(job);
      if (latest !== undefined) this.#apply(latest);
    } catch {
      // It comes with the page, once the line is resumed; or it was deleted.
    } finally {
      this.#strangers.delete(job);
    }
  }

  async #ask(job: Digest): Promise<IOwnJob> {
    try {
      const own = this.#learn(await this.#deps.agent.call(AGENT_ROUTES.getOwnJob, { params: { job } }), 'alone');
      this.#top(own);
      return own;
    } catch (error) {
      if (error instanceof AppError && error.code === 'not_found') this.#forget(job);
      throw error;
    }
  }

  /** Takes a reply about a job. Where it tells of a change that no event told of, that change is told of now. */
  #learn(told: IOwnJob, how: 'listed' | 'alone'): IOwnJob {
    const known = this.#known.get(told.view.job);
    const own = reconcile(known, told);
    this.#keep(own);
    if (known !== undefined && own.view.version > known.view.version) this.#moved(own, how);
    else this.#show({ ...this.#page, jobs: withChanged(this.#page.jobs, own) });
    return own;
  }

  /** A job has a higher version than before. Of one that has ended all is asked for, before others hear of it. */
  #moved(own: IOwnJob, how: 'event' | 'listed' | 'alone'): void {
    this.#keep(own);
    this.#show({ ...this.#page, jobs: withChanged(this.#page.jobs, own) });
    if (how === 'alone' || !hasEnded(own)) this.advanced.emit(own);
    else void this.#tellEnd(own);
  }

  async #tellEnd(own: IOwnJob): Promise<void> {
    const { job } = own.view;
    try {
      // One that is on its way was perhaps answered before the end.
      await this.#fetches.get(job)?.catch(() => undefined);
      await this.fetch(job);
    } catch {
      // Told without its reasons; they come with the next reply.
    }
    if (!this.#disposed) this.advanced.emit(this.#known.get(job) ?? own);
  }

  /** A job that is new here goes on top of the first page of all jobs, and of no other. */
  #top(own: IOwnJob): void {
    if (this.#place.cursors.length > 1 || this.#place.search !== '') return;
    if (this.#page.status === 'loading') this.#late.push(own);
    if (this.#page.status !== 'loaded') return;
    const jobs = withNewest(this.#page.jobs, own);
    if (jobs === this.#page.jobs) return;
    this.#show({ ...this.#page, jobs });
    if (jobs.length > LONGEST_PAGE) void this.refresh();
  }

  #keep(own: IOwnJob): void {
    // Taken out first: a map goes by the order in which its keys came.
    this.#known.delete(own.view.job);
    this.#known.set(own.view.job, own);
    if (this.#known.size <= MOST_KNOWN) return;
    for (const [job] of this.#known) {
      if (this.#page.jobs.some(({ view }) => view.job === job)) continue;
      this.#known.delete(job);
      return;
    }
  }

  #forget(job: Digest): void {
    this.#known.delete(job);
    this.#show({ ...this.#page, jobs: without(this.#page.jobs, job) });
  }

  /** However much happens, the views are told once a frame. */
  #show(page: IJobPage): void {
    this.#page = page;
    if (this.#drawing) return;
    this.#drawing = true;
    this.#deps.frame(() => {
      this.#drawing = false;
      if (!this.#disposed) this.changed.emit();
    });
  }
}

function queryOf({ search, cursors }: IJobsPlace): { limit: string; name?: string; cursor?: string } {
  const cursor = cursors.at(-1) ?? '';
  return { limit: String(PAGE_SIZE), ...(search === '' ? {} : { name: search }), ...(cursor === '' ? {} : { cursor }) };
}
