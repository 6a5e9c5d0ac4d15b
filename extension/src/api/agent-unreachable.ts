import type { AgentState } from '../model/agent-state';

/** The agent did not answer: what stands between it and this page. */
export class AgentUnreachable extends Error {
  readonly state: Exclude<AgentState, 'connecting' | 'ready'>;

  constructor(state: Exclude<AgentState, 'connecting' | 'ready'>, options: { readonly cause?: unknown } = {}) {
    super(`the agent cannot be reached: ${state}`, options);
    this.name = 'AgentUnreachable';
    this.state = state;
  }
}
