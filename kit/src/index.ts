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
