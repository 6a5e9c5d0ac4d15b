export { EmbeddedConfig } from './config.js';
export { startDaemon, type Daemon, type DaemonDeps } from './daemon.js';
export { createGateway, urlOf } from './gateway.js';
export { layoutOf, type Layout } from './layout.js';
