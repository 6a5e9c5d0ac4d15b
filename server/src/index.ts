export { createServer, type Server, type ServerLimits, type ServerOptions } from './app.js';
export { localRunnerEnv, type LocalRunnerOptions } from './runner-env.js';
export type { Admitted } from './http/sender.js';
export type { Reconciler } from './jobs/reconciler.js';
export { instanceName, type BackendCapabilities, type Instance, type LaunchRequest, type TeeBackend } from './backends/port.js';
export { LocalBackend, readSimulatorTrust, toPinnedVerifier, measureImage, type LocalBackendOptions } from './backends/local/index.js';
