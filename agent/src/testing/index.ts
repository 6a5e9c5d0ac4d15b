/** An analyst's machine and an operator in memory, for tests of the agent and of the command line. No service imports this. */
export * from './fake-operator.js';
export * from './workbench.js';
export * from './agent-face.js';
export * from './refusals.js';
