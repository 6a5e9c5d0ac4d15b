import { Token } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';
import type { AGENT_ROUTES, CallOptions, Digest, JobEvent, RouteReply, RouteSpec } from '@cloister/protocol';
import type { AgentState } from './model/agent-state';
import type { IJobPage, IOwnJob } from './model/own-job';
import type { IProblem } from './model/problem';

/** What `GET /v1/agent` tells: who the analyst is, and whom she trusts. */
export type AgentDescription = RouteReply<typeof AGENT_ROUTES.describeAgent>;

/** The agent on the analyst's machine, through Jupyter's proxy. */
export interface IAgent {
  readonly state: AgentState;
  readonly stateChanged: ISignal<IAgent, AgentState>;
  /** What the agent tells of itself; undefined until it was reached once. */
  readonly description: AgentDescription | undefined;
  /** Jupyter's login page, for when the login has expired. */
  readonly loginUrl: string;
  /** What keeps the agent from the services behind it; undefined while it reaches them. Changes with `stateChanged`. */
  readonly trouble: IProblem | undefined;
  /** Every change of the analyst's jobs, each once and in order, also over a lost connection. */
  readonly events: ISignal<IAgent, JobEvent>;
  /** Events flow, for the first time or again: what was shown before may be out of date. */
  readonly resumed: ISignal<IAgent, void>;
  /** Calls one route. @throws AppError with a code of the error table, or AgentUnreachable */
  call<R extends RouteSpec>(route: R, options: CallOptions<R>): Promise<RouteReply<R>>;
  /** Tries again now instead of waiting. */
  reconnect(): void;
}

export const IAgent = new Token<IAgent>('cloister:IAgent', 'The agent that packages, signs, submits and opens on behalf of the analyst.');

/** The analyst's jobs, live. */
export interface IJobs {
  /** Jobs that are shown now: one page, of all or of those that a search found. */
  readonly page: IJobPage;
  readonly changed: ISignal<IJobs, void>;
  /** One change of one job, as it happened; also of jobs that are not on the page. */
  readonly advanced: ISignal<IJobs, IOwnJob>;
  /** A job that is known here. */
  find(job: Digest): IOwnJob | undefined;
  /** Asks for one job, also where it is not on the page. */
  fetch(job: Digest): Promise<IOwnJob>;
  search(name: string): Promise<void>;
  nextPage(): Promise<void>;
  previousPage(): Promise<void>;
  refresh(): Promise<void>;
}

export const IJobs = new Token<IJobs>('cloister:IJobs', 'The jobs that the analyst submitted, kept live by events.');
