import { Signal } from '@lumino/signaling';
import { AGENT_ROUTES, AppError, Digest, JobView, type CallOptions, type JobEvent, type RouteReply, type RouteSpec } from '@cloister/protocol';
import type { IOwnJob } from '../../model/own-job';
import type { AgentState } from '../../model/agent-state';
import type { IAgent } from '../../tokens';

const PAGE = 50;

/** The digest of job number `n`. */
export const digest = (n: number): Digest => Digest.parse(`sha256:${n.toString(16).padStart(64, '0')}`);

/** Job number `n`: the higher, the newer. */
export function ownJob(n: number, changes: Partial<JobView> = {}, own: Partial<Omit<IOwnJob, 'view'>> = {}): IOwnJob {
  const at = new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString();
  const view = JobView.parse({
    job: digest(n),
    id: `01900000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`,
    state: 'running',
    attempt: 1,
    version: 1,
    createdAt: at,
    updatedAt: at,
    ...changes
  });
  return { view, notebook: `study-${n}.ipynb`, purpose: '', inputs: ['hospital/visits'], createdAt: view.createdAt, denials: [], ...own };
}

/** An event about job number `n`. */
export function jobEvent(n: number, version: number, changes: Partial<JobEvent> = {}): JobEvent {
  const { view } = ownJob(n);
  return { seq: version, job: view.job, state: 'running', attempt: 1, version, time: view.updatedAt, ...changes };
}

type Handler = (options: { readonly params?: unknown; readonly query?: unknown; readonly body?: unknown }) => unknown;

/** An agent without a network: it lists `jobs`, and answers other routes by `handlers`. */
export class FakeAgent implements IAgent {
  state: AgentState = 'ready';
  readonly stateChanged = new Signal<this, AgentState>(this);
  readonly description = undefined;
  readonly loginUrl = '/login';
  readonly trouble = undefined;
  readonly events = new Signal<this, JobEvent>(this);
  readonly resumed = new Signal<this, void>(this);
  /** Newest first. */
  jobs: IOwnJob[] = [];
  readonly handlers = new Map<string, Handler>();
  readonly calls: { readonly id: string; readonly options: unknown }[] = [];
  /** While set, replies wait for it. */
  gate: Promise<void> | undefined;

  async call<R extends RouteSpec>(route: R, options: CallOptions<R>): Promise<RouteReply<R>> {
    this.calls.push({ id: route.id, options });
    const answer = this.#answer(route.id, options);
    await this.gate;
    if (answer instanceof Error) throw answer;
    return answer as RouteReply<R>; // a test says by the route what is answered
  }

  reconnect(): void {
    this.calls.push({ id: 'reconnect', options: {} });
  }

  count(id: string): number {
    return this.calls.filter(call => call.id === id).length;
  }

  #answer(id: string, options: CallOptions<RouteSpec>): unknown {
    const handler = this.handlers.get(id);
    try {
      if (handler !== undefined) return handler(options);
      if (id === AGENT_ROUTES.listOwnJobs.id) return this.#list(options.query);
      if (id === AGENT_ROUTES.getOwnJob.id) return this.#get(options.params);
      return new AppError('not_found', `nothing answers ${id}`);
    } catch (error) {
      return error;
    }
  }

  #list(query: unknown): unknown {
    const { cursor = '0', name = '' } = AGENT_ROUTES.listOwnJobs.query.parse(query);
    const from = Number(cursor);
    if (Number.isNaN(from)) throw new AppError('invalid_cursor', 'not one of ours');
    const found = this.jobs.filter(job => (job.notebook ?? '').includes(name));
    return { jobs: found.slice(from, from + PAGE), ...(found.length > from + PAGE ? { next: String(from + PAGE) } : {}) };
  }

  #get(params: unknown): unknown {
    const { job } = AGENT_ROUTES.getOwnJob.params.parse(params);
    const found = this.jobs.find(own => own.view.job === job);
    if (found === undefined) throw new AppError('not_found', 'no such job');
    return found;
  }
}
