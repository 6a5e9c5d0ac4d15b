export { systemClock, type Clock } from './clock.js';
export { parseConfig, readConfigFile, type Frozen } from './config.js';
export { createLogger, type LogLevel, type Logger, type LoggerOptions } from './logger.js';
export { createPrivateFile, ensurePrivateDirectory, readPrivateFile, readPrivateFileIfThere, replacePrivateFile, requirePrivateDirectory } from './private-files.js';
export { runService, untilToldToEnd } from './run-service.js';
export { mayRetry, retry, retryAfterMs, type RetryOptions } from './retry.js';
export { createApp, type AppOptions } from './http/app.js';
export { bindRoutes, type BindOptions } from './http/bind-routes.js';
export {
  parseLastEventId,
  readEvents,
  type EventStreamOptions,
  type ReceivedEvent,
  type ServerEvent
} from './http/events.js';
export type {
  AuthRequest,
  Authenticate,
  Authenticated,
  CallerOf,
  EventReply,
  Handlers,
  RouteCall,
  RouteHandler,
  RouteResult,
  StreamReply
} from './http/route-call.js';
export { answers, listen, type ListenAddress, type ListenOptions, type Listening, type UpgradeListener } from './http/server.js';
export { createTransport, type NodeTransport, type TransportOptions } from './http/transport.js';
export { acquireLock, type Lock } from './lock.js';
export { openDatabase, type Migration, type OpenDatabase } from './sqlite.js';
export { authenticateByProof, createReplayMemory, type ProofSenderOptions, type ReplayMemory } from './http/proof-sender.js';
export { fetchKeySet, type FetchedKeySet } from './verifier-keys/fetch-key-set.js';
export { fetchRoot, type FetchedRoot } from './verifier-keys/fetch-root.js';
export type { FetchDeps } from './verifier-keys/get-pinned.js';
export { createKeyFile, type KeptKeys, type KeyStore } from './verifier-keys/key-file.js';
export { createKeySource, type KeyHealth, type KeySource, type KeySourceDeps } from './verifier-keys/key-source.js';
export type { FetchPublished } from './verifier-keys/published-keys.js';
export { createNodeRsa } from './verifier-keys/verify-rsa.js';
