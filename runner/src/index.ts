export { runAttempt, type AttemptTask, type Ending } from './run-attempt.js';
export type { Log, RunnerDeps } from './deps.js';
export type { NotebookInput, NotebookResult, NotebookRun, NotebookSandbox, PreparedSandbox } from './sandbox.js';
export { createLauncherTokens, type OwnToken, type TokenRequest, type TokenSource, type TokenType } from './attestation/token-source.js';
export { createTransport, type TransportOptions } from './transport.js';
export { systemClock, type Clock } from './clock.js';
export { readConfig, type RunnerConfig } from './config.js';
