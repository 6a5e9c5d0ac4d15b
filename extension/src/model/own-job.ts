import type { AGENT_ROUTES, RouteReply } from '@cloister/protocol';

/** A job as the agent tells it: the operator's view, and what this machine remembers of it. */
export type IOwnJob = RouteReply<typeof AGENT_ROUTES.getOwnJob>;

/** One page of jobs, newest first. */
export interface IJobPage {
  readonly jobs: readonly IOwnJob[];
  /** Counts from 1. */
  readonly number: number;
  readonly hasNext: boolean;
  /** What was searched for; empty for all jobs. */
  readonly search: string;
  readonly status: 'loading' | 'loaded' | 'failed';
}
