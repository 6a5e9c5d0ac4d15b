import { join } from 'node:path';
import { acquireLock, createLogger, createTransport, ensurePrivateDirectory, listen, runService, systemClock, untilToldToEnd } from '@cloister/kit';
import { createServer } from './app.js';
import { LocalBackend } from './backends/local/index.js';
import { readServerConfig } from './config.js';
import { localRunnerEnv } from './runner-env.js';

/** The server as a process of its own: configuration, lock, address, and an orderly end on SIGTERM and SIGINT. */
async function main(): Promise<void> {
  const { config, trust } = await readServerConfig();
  const logger = createLogger({ service: 'server', level: config.logLevel, destination: 'stderr' });
  await ensurePrivateDirectory(config.stateDir);
  const lock = await acquireLock(join(config.stateDir, 'server.lock'));
  const { transport, close: closeTransport } = createTransport({ sockets: config.sockets ?? {} });
  const backend = new LocalBackend({ ...config.backend, stateDir: join(config.stateDir, 'instances'), keysDir: join(config.stateDir, 'simulator') });
  const server = await createServer({
    stateDir: join(config.stateDir, 'server'),
    publicUrl: config.publicUrl,
    trust,
    analysts: config.analysts,
    publishers: config.publishers,
    backend,
    brokers: transport,
    brokerHosts: config.brokerHosts,
    runnerEnv: localRunnerEnv({ serverUrl: config.publicUrl, ...config.runner }),
    clock: systemClock,
    logger,
    ...(config.limits === undefined ? {} : { limits: config.limits })
  });
  const listening = await listen(server.app, config.listen);
  server.reconciler.start();
  logger.info({ address: listening.address }, 'listening');
  const signal = await untilToldToEnd();
  logger.info({ signal }, 'ending');
  await listening.close();
  await server.close();
  closeTransport();
  lock.release();
}

await runService(main);
