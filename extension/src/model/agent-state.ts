/** Whether the agent can be spoken to, and if not, why: `problem.ts` has words and a next step for each. */
export type AgentState = 'connecting' | 'ready' | 'missing' | 'failed' | 'outdated' | 'signed-out' | 'offline';
